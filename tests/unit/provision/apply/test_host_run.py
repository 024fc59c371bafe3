"""What is known of a host in each state of a run, as reports and exit codes say it."""

from __future__ import annotations

from typing import Any

import pytest

from provision.apply.changes import Applied
from provision.apply.run import HostRun, exit_code
from provision.apply.states import Connected, Planned
from provision.errors import Exit, FailedError, InputError, ProvisionError, UnreachableError
from provision.plan.plan import Declaration, HostPlan, Item
from provision.remote.host import RemoteHost
from provision.remote.login import Login
from provision.resources import Action, Change, File, Unknown
from provision.resources.base import AS_DECLARED, Outcome

SESSION: Any = object()
UPDATE = Change(Action.UPDATE, "content")


def item(path: str, outcome: Outcome = UPDATE, play: int = 0) -> Item:
    return Item(Declaration(File(path=path, content="x"), "base", "roles/base.py:7", play), outcome)


A, B, LATER, SAME = item("/a"), item("/b"), item("/later", Unknown("/a"), play=1), item("/same", AS_DECLARED)


def planned(*items: Item) -> HostRun:
    return HostRun(RemoteHost(Login("h", "192.0.2.1")), Planned(SESSION, HostPlan("h", items)))


def test_a_host_that_was_not_asked_is_skipped() -> None:
    host = HostRun(RemoteHost(Login("h", "192.0.2.1")))
    assert (host.status, host.plan, host.session, host.usable) == ("skipped", None, None, False)


def test_only_a_planned_host_has_pending_items() -> None:
    host = planned(A, SAME, LATER)
    assert (host.pending(0), host.pending(1), host.usable) == ((A,), (LATER,), True)
    host.fail(FailedError("no"))
    assert (host.pending(0), host.usable) == ((), False)


def test_a_failed_host_lists_what_comes_after_its_last_change() -> None:
    host = planned(A, B, LATER)
    host.applied.append(Applied(A, 0.1))
    host.fail(FailedError("disk full"))
    assert (host.status, host.not_done) == ("failed", (B, LATER))
    assert host.error
    assert host.error.host == "h"


def test_a_failed_host_keeps_its_session_for_draining() -> None:
    host = planned(A)
    host.fail(FailedError("first"))
    host.fail(UnreachableError("then"))
    assert (host.session, host.status, host.plan) == (SESSION, "unreachable", HostPlan("h", (A,)))


def test_a_skipped_host_keeps_what_the_play_had_for_it() -> None:
    host = planned(A, LATER)
    host.skip(0)
    host.finish(complete=False)
    assert (host.status, host.not_done, host.plan) == ("skipped", (A,), None)


def test_an_interrupted_host_omits_finished_plays() -> None:
    host = planned(A, LATER)
    host.changes.finished.add(0)
    host.finish(complete=False)
    assert (host.status, host.not_done) == ("skipped", (LATER,))


@pytest.mark.parametrize(
    ("items", "changed", "status"),
    [((SAME,), (), "ok"), ((A,), (A,), "changed"), ((A,), (), "would_change")],
)
def test_a_completed_host_says_what_was_done(items: tuple[Item, ...], changed: tuple[Item, ...], status: str) -> None:
    host = planned(*items)
    host.changes.applied = [Applied(each, 0.1) for each in changed]
    host.finish(complete=True)
    assert (host.status, host.not_done) == (status, ())


@pytest.mark.parametrize(
    ("error", "check", "stopped", "code"),
    [
        (None, True, False, Exit.DIFFERENCES),
        (None, False, False, Exit.OK),
        (None, True, True, Exit.INTERRUPTED),
        (FailedError("x"), True, False, Exit.FAILED),
        (UnreachableError("x"), False, False, Exit.UNREACHABLE),
        (InputError("x"), True, False, Exit.BAD_INPUT),
    ],
)
def test_the_exit_code_of_a_run(error: ProvisionError | None, check: bool, stopped: bool, code: Exit) -> None:
    host = planned(A)
    if error:
        host.fail(error)
    assert exit_code([host], check, stopped) is code


def test_a_connected_host_without_a_plan_is_skipped() -> None:
    host = HostRun(RemoteHost(Login("h", "192.0.2.1")), Connected(SESSION))
    host.finish(complete=False)
    assert (host.status, host.session, host.not_done) == ("skipped", SESSION, ())
