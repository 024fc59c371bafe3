"""Journals and indexes that hosts of a real lab wrote before the classes and fields got their present names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from provision.history.journal import read
from provision.history.serialize import revive
from provision.resources import Resource
from provision.resources.optional.reversible import roll_back

RECORDED = Path(__file__).parent / "recorded"


def nothing(key: str) -> Resource | None:
    return None


@pytest.mark.parametrize("host", ["hdss7-11", "hdss7-21"])
def test_an_old_journal_can_be_rolled_back(host: str) -> None:
    written = read((RECORDED / f"{host}.jsonl").read_text())
    assert written is not None
    assert len(written.entries) > 20
    found = [roll_back(revive(entry.resource, nothing), entry.action, entry.snapshot) for entry in written.entries]
    # directories stay: what others put there is not ours to remove
    assert sum(bool(back.resources or back.why) for back in found) > len(found) * 0.6


@pytest.mark.parametrize("host", ["hdss7-11", "hdss7-21"])
def test_an_old_index_names_resources_of_today(host: str) -> None:
    lines = (RECORDED / f"{host}.made").read_text().splitlines()
    assert len(lines) > 20
    for line in lines:
        key, _, _, _, resource = line.split("\t")
        if resource:
            assert revive(json.loads(resource), nothing).key == key
