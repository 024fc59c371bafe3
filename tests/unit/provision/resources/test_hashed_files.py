"""Secrets named by their content, written by this machine's shell."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from provision.errors import InputError
from provision.resources import HashedFile, Pending, Unknown
from provision.resources.base import Change
from tests.unit.machine import Machine


def holding(folder: Path, content: bytes | Pending) -> HashedFile:
    user = folder.owner()
    return HashedFile(path=f"{folder}/keys", suffix=".pem", content=content, owner=user, group=folder.group())


def applied(folder: Path, content: bytes) -> HashedFile:
    """The file, put there where it was not."""
    machine, file = Machine(folder), holding(folder, content)
    change = file.compare(machine.answers(file.questions()), ())
    assert isinstance(change, Change)
    done = machine.run(file.fix(change))
    assert done.returncode == 0, done.stderr
    assert file.compare(machine.answers(file.questions()), ()) is None
    return file


def age(folder: Path) -> None:
    """Makes every file a minute older, so that the next one is younger whatever the clock's grain is."""
    for file in (folder / "keys").glob("*"):
        then = file.stat().st_mtime - 60
        os.utime(file, (then, then))


def test_the_last_three_are_kept(tmp_path: Path) -> None:
    made = []
    for content in (b"one", b"two", b"three", b"four"):
        made.append(Path(applied(tmp_path, content).target))
        age(tmp_path)
    assert sorted((tmp_path / "keys").iterdir()) == sorted(made[1:])
    assert {oct(file.stat().st_mode & 0o777) for file in made[1:]} == {"0o600"}
    assert made[3].read_bytes() == b"four"


def test_one_that_comes_back_is_the_youngest_again(tmp_path: Path) -> None:
    for content in (b"one", b"two", b"three"):
        applied(tmp_path, content)
        age(tmp_path)
    back = Path(applied(tmp_path, b"one").target)
    age(tmp_path)
    applied(tmp_path, b"four")
    assert back.exists()
    assert not Path(holding(tmp_path, b"two").target).exists()


def test_what_somebody_changed_is_written_anew(tmp_path: Path) -> None:
    file = applied(tmp_path, b"one")
    Path(file.target).write_bytes(b"other")
    Path(file.target).chmod(0o644)
    assert Path(applied(tmp_path, b"one").target).read_bytes() == b"one"


def test_before_there_is_content_nothing_is_guessed(tmp_path: Path) -> None:
    file = holding(tmp_path, Pending("deploy makes it"))
    assert file.compare(Machine(tmp_path).answers(file.questions()), ()) == Unknown("deploy makes it")
    assert file.target.endswith("/keys/new.pem")


def test_what_it_holds_is_in_no_text_of_it(tmp_path: Path) -> None:
    file = holding(tmp_path, b"Geheimnis")
    assert "Geheimnis" not in repr(file) + file.digest + file.key
    assert "Geheimnis" not in file.fix(Change("create", "x")).script  # type: ignore[arg-type]


def test_one_that_everybody_may_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="lets every user read it"):
        HashedFile(path="/etc/x", content=b"x", mode="0644")


def test_its_removal_takes_the_folder(tmp_path: Path) -> None:
    file = applied(tmp_path, b"one")
    removal = file.removal
    assert removal is not None
    assert removal.compare(Machine(tmp_path).answers(removal.questions()), ()) is not None
    Machine(tmp_path).run(removal.fix(Change("run", "x")))  # type: ignore[arg-type]
    assert not (tmp_path / "keys").exists()
