"""A saved plan is applied as it was shown, or not at all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from provision.errors import InputError
from provision.facts.host import FileQuestion, FileState, UnitQuestion, UnitState
from provision.facts.question import Answers
from provision.plan.plan import Declaration, HostPlan, Item, StaleError, compare, seen
from provision.plan.planfile import check, load, save
from provision.resources import File, Pending, Resource, Service, Unknown
from provision.resources.base import AS_DECLARED

FILE = File(path="/etc/motd", content=b"new\n")
SSH = Service(name="ssh")
STOOD = FileState("f", "644", "root", "root", "1 1 1 1", "", "0" * 64)
UP, DOWN = UnitState("loaded", "active", "enabled"), UnitState("loaded", "failed", "enabled")


def plan(answers: Answers, *resources: Resource) -> HostPlan:
    declared = [Declaration(r, "r", "roles/r.py:1", 0) for r in resources or (FILE, SSH)]
    items = compare(declared, answers)
    return HostPlan("a", items, seen(items, answers))


def state(file: FileState = STOOD, unit: UnitState = UP) -> Answers:
    return {FileQuestion("/etc/motd"): file, UnitQuestion("ssh"): unit}


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "plan.json"
    save(path, [plan(state())], "alice@desk", "2026-03-01T10:00:00+00:00", "abc1234")
    return path


def test_a_plan_that_is_still_the_same_is_applied(saved: Path) -> None:
    check(load(saved, ["a"]).hosts, plan(state()))


@pytest.mark.parametrize(
    ("now", "says"),
    [
        (plan(state(replace(STOOD, sha256="1" * 64))), "moved on.*File /etc/motd"),
        (plan(state(replace(STOOD, mode="600"))), "moved on.*File /etc/motd"),
        (plan(state(FileState())), "moved on.*File /etc/motd"),
        (plan(state(replace(STOOD, sha256=FILE.sha256))), "moved on.*File /etc/motd"),
        (plan(state(), replace(FILE, content=b"newer\n"), SSH), "declare something else.*File /etc/motd"),
        (plan(state(), FILE), "moved on.*Service ssh|declare something else.*Service ssh"),
        (plan(state(unit=DOWN)), "more to do.*Service ssh"),
    ],
)
def test_a_host_or_a_site_that_has_moved_on_is_refused(saved: Path, now: HostPlan, says: str) -> None:
    with pytest.raises(StaleError, match=rf"(?s){says}"):
        check(load(saved, ["a"]).hosts, now)


def test_what_could_not_be_known_may_turn_out_either_way(tmp_path: Path) -> None:
    later = File(path="/etc/motd", content=Pending("something else"))
    before = plan(state(FileState()), later)
    assert isinstance(before.items[0].outcome, Unknown)
    save(tmp_path / "p", [before], "", "", "")
    known = HostPlan("a", (Item(before.items[0].declaration, AS_DECLARED),), {"File /etc/motd": "x"})
    check(load(tmp_path / "p", ["a"]).hosts, known)


def test_a_file_that_is_no_plan_is_refused(tmp_path: Path, saved: Path) -> None:
    (tmp_path / "text").write_text("hello")
    (tmp_path / "json").write_text("{}")
    (tmp_path / "old").write_text(saved.read_text().replace('"version": 1', '"version": 0'))
    for name in ("none", "text", "json", "old"):
        with pytest.raises(InputError, match=name):
            load(tmp_path / name, ["a"])
    with pytest.raises(InputError, match="a plan for other hosts: a"):
        load(saved, ["a", "b"])
    with pytest.raises(InputError, match="could not be saved"):
        save(tmp_path / "nowhere" / "plan", [], "", "", "")


def test_it_is_its_owners_alone_and_holds_no_content(saved: Path) -> None:
    assert saved.stat().st_mode & 0o777 == 0o600
    assert "new" not in saved.read_text()
    assert [path.name for path in saved.parent.iterdir()] == ["plan.json"]
