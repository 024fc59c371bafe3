"""What only --prune removes: listed, or among the changes, and never after a failure."""

from __future__ import annotations

from typing import ClassVar

import pytest

from provision.apply.pruning import blocked, without_prunable
from provision.apply.run import HostRun
from provision.apply.states import Planned
from provision.errors import FailedError, ProvisionError, UnreachableError
from provision.facts.host import ShellAnswer, ShellQuestion
from provision.history.prune import LINE
from provision.plan.plan import Declaration, HostPlan, Item
from provision.remote.host import RemoteHost
from provision.remote.login import Login
from provision.resources import Action, Change, File, Leftovers
from provision.resources.base import AS_DECLARED, Resource
from tests.unit.provision.apply.test_host_run import SESSION

LEFT = Leftovers(name="routes", look="show", remove="del")
REMOVE = Change(Action.REMOVE, "remove a route")


class Named(Leftovers):
    """Leftovers that only a person may remove."""

    removable: ClassVar[bool] = False


def item(resource: Resource, change: Change | None = REMOVE, line: str = "roles/x.py:1") -> Item:
    return Item(Declaration(resource, "x", line, 0), change or AS_DECLARED)


FILE = item(File(path="/a", content="x"), Change(Action.UPDATE, "content"))
PLAN = HostPlan(
    "h", (FILE, item(LEFT), item(Named(name="nodes", look="n", remove=""))), {LEFT.key: "1", "File /a": "2"}
)


@pytest.mark.parametrize(("remove", "kept"), [(False, ["File /a"]), (True, ["File /a", "Leftovers routes"])])
def test_leftovers_are_changes_only_where_they_may_be_removed(remove: bool, kept: list[str]) -> None:
    plan = without_prunable(PLAN, remove=remove)
    every = [i.resource.key for i in PLAN.items]
    assert [i.resource.key for i in plan.items] == kept
    assert [i.resource.key for i in plan.orphans] == [key for key in every if key not in kept]
    assert (LEFT.key in plan.seen) is remove  # what is only listed makes no plan stale


def test_leftovers_that_are_not_there_are_not_listed() -> None:
    plan = without_prunable(HostPlan("h", (item(LEFT, None),)), remove=False)
    assert (plan.orphans, plan.as_declared) == ((), True)


@pytest.mark.parametrize(("output", "summary"), [("", ""), ("a\n\n b \n", "remove a, b")])
def test_what_a_look_prints_is_left(output: str, summary: str) -> None:
    change = LEFT.compare({ShellQuestion("show"): ShellAnswer(0, output)}, ())
    assert (change.summary if isinstance(change, Change) else "") == summary


def run(*items: Item, error: ProvisionError | None = None) -> HostRun:
    host = HostRun(RemoteHost(Login("h", "192.0.2.1")), Planned(SESSION, HostPlan("h", items)))
    if error:
        host.fail(error)
    return host


ORPHAN = item(File(path="/b", absent=True), line=LINE)


@pytest.mark.parametrize(
    ("other", "items", "expected"),
    [
        (run(error=FailedError("no")), (item(LEFT), ORPHAN), True),
        (run(error=FailedError("no")), (item(LEFT), FILE), False),
        (run(error=UnreachableError("off")), (item(LEFT),), False),
        (run(), (item(LEFT), ORPHAN), False),
    ],
)
def test_nothing_is_removed_once_a_change_has_failed(other: HostRun, items: tuple[Item, ...], expected: bool) -> None:
    changing = [run(*items)]
    assert blocked([other, *changing], changing, 0) is expected
