"""Snapshots of etcd on the controller: their names, which of them stay, and what is none."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from provision.errors import InputError
from roles._snapshots import Snapshot, check, listed, surplus

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def named(days: float, revision: int = 7) -> str:
    """The name of a snapshot that is so old."""
    return Snapshot(NOW - timedelta(days=days), revision, 0xBEEF).name


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content + hashlib.sha256(content).digest())
    return path


def test_a_name_says_what_is_in_the_file() -> None:
    name = Snapshot(NOW, 4812, 0x9F3C01AA).name
    assert name == "etcd-20260301T120000-r4812-9f3c01aa.db"
    assert Snapshot.of(name) == Snapshot(NOW, 4812, 0x9F3C01AA)


@pytest.mark.parametrize(
    "name", ["", "notes.txt", "etcd-x.db", "etcd-20261399T120000-r1-00000000.db", named(0) + ".old"]
)
def test_other_names_are_no_snapshots(name: str) -> None:
    assert Snapshot.of(name) is None


@pytest.mark.parametrize(
    ("ages", "most", "days", "gone"),
    [
        ([], 3, 90, []),
        ([0, 1, 2], 3, 90, []),
        ([0, 1, 2, 3], 3, 90, [3]),
        ([0, 1, 91], 3, 90, [91]),
        ([200], 3, 90, []),
        ([200, 201], 3, 90, [201]),
        ([0, 1, 2], 1, 90, [1, 2]),
    ],
)
def test_the_youngest_stay_and_none_that_is_too_old(ages: list[int], most: int, days: int, gone: list[int]) -> None:
    names = [named(age) for age in ages]
    assert set(surplus([*names, "notes.txt"], most, days, NOW)) == {named(age) for age in gone}


def test_the_youngest_is_listed_first(tmp_path: Path) -> None:
    for age in (2, 0, 1):
        (tmp_path / named(age)).touch()
    (tmp_path / "etcd-notes.db").touch()
    assert list(listed(tmp_path)) == [named(0), named(1), named(2)]


def test_a_whole_snapshot_passes(tmp_path: Path) -> None:
    check(written(tmp_path / "a.db", b"x" * 3_000_000))


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-1],
        lambda content: content[:100],
        lambda content: content[:32],
        lambda _: b"",
        lambda content: bytes([content[0] ^ 1]) + content[1:],
        lambda content: content[:-32],
    ],
    ids=["cut by a byte", "cut", "its checksum alone", "empty", "a bit flipped", "a member's own db"],
)
def test_what_is_no_whole_snapshot_is_refused(tmp_path: Path, damage: object) -> None:
    path = written(tmp_path / "a.db", b"x" * 5000)
    assert callable(damage)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InputError, match="is no whole snapshot of etcd"):
        check(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="can't be read"):
        check(tmp_path / "none.db")
