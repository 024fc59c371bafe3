"""A run as a person, a program and the log see it."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hdss7.report import text
from hdss7.report.console import Console
from hdss7.report.json import document
from hdss7.report.log import Log
from provision.apply.changes import Applied
from provision.apply.events import (
    ChangeDone,
    ChangeStarted,
    Event,
    HostFailed,
    HostKnown,
    PlayStarted,
    RunEnded,
    RunStarted,
)
from provision.apply.run import Changes, HostRun, Report
from provision.apply.states import Done, Failed, Unreached
from provision.errors import Exit, Explanation, FailedError, ProvisionError, UnreachableError
from provision.plan.plan import Declaration, HostPlan, Item
from provision.remote.host import RemoteHost
from provision.remote.login import Login
from provision.resources import Action, Change, Directory, File, Resource, Unknown
from provision.resources.base import AS_DECLARED, Outcome

DIFF = "--- /etc/motd (on the host)\n+++ /etc/motd (declared)\n@@ -1 +1 @@\n-old\n+new"
MOTD = File(path="/etc/motd", content="new\n")
UPDATE = Change(Action.UPDATE, "/etc/motd: content", diff=DIFF)


class Counted(RemoteHost):
    """A host that was asked over one connection, in one exec."""

    connections = 1
    execs = 1


def item(outcome: Outcome, resource: Resource = MOTD, play: int = 0) -> Item:
    """One line of a plan."""
    return Item(Declaration(resource, "base", "roles/base.py:7", play), outcome)


SESSION: Any = None  # a report looks at what was found, and talks to no host


def host(name: str, *items: Item, applied: Sequence[Item] = (), not_done: Sequence[Item] = ()) -> HostRun:
    """A host at the end of a run."""
    state = Done(SESSION, HostPlan(name, items), tuple(not_done))
    changes = Changes(applied=[Applied(each, 0.1) for each in applied])
    return HostRun(Counted(Login(name, "10.4.7.9")), state, changes, seconds=0.5)


def broken(name: str, kind: type[ProvisionError] = FailedError) -> HostRun:
    """A host that could not be asked."""
    return HostRun(RemoteHost(Login(name, "10.4.7.9")), Failed(kind("disk full"), Unreached()))


def lines(*plans: HostPlan, diff: bool = False, verbose: int = 0) -> list[str]:
    """The plan as it is printed."""
    return [line.render() for line in text.plan_lines(plans, diff=diff, verbose=verbose)]


def test_equal_changes_of_hosts_are_one_line_and_one_diff() -> None:
    shown = lines(*(HostPlan(name, (item(UPDATE),)) for name in ("a", "b", "c")), diff=True)
    assert len(shown) == 1
    assert shown[0].splitlines() == ["~ a, b, c  File /etc/motd  content", *(f"    {row}" for row in DIFF.splitlines())]


def test_different_differences_of_one_resource_stay_apart() -> None:
    other = replace(UPDATE, diff=DIFF.replace("old", "older"))
    assert len(lines(HostPlan("a", (item(UPDATE),)), HostPlan("b", (item(other),)), diff=True)) == 2


def test_a_plan_is_printed_in_the_order_of_the_plays() -> None:
    early, late = item(UPDATE), item(Change(Action.CREATE, "create directory /srv"), Directory(path="/srv"), play=1)
    assert [line.split()[1] for line in lines(HostPlan("b", (late,)), HostPlan("a", (early,)))] == ["a", "b"]


def test_what_each_host_has_under_another_name_stands_together() -> None:
    def plan(name: str, *paths: str) -> HostPlan:
        return HostPlan(
            name, tuple(item(Change(Action.CREATE, f"create {p}"), File(path=p, content="x")) for p in paths)
        )

    shown = lines(plan("a", "/etc/a", "/etc/same", "/var/a"), plan("b", "/etc/b", "/etc/same", "/var/b"))
    assert [line.split()[-2] for line in shown] == ["/etc/a", "/etc/b", "/etc/same", "/var/a", "/var/b"]


@pytest.mark.parametrize(
    ("outcome", "shown"),
    [
        (UPDATE, "~ a  File /etc/motd  content"),
        (Change(Action.CREATE, "create /etc/motd"), "+ a  File /etc/motd  create"),
        (Change(Action.REMOVE, "remove /etc/motd"), "- a  File /etc/motd  remove"),
        (
            Change(Action.UPDATE, "fetch /etc/motd: it was replaced by hand"),
            "~ a  File /etc/motd  fetch: it was replaced by hand",
        ),
        (Change(Action.RUN, "run: /etc/motd"), "~ a  File /etc/motd  run"),
        (Change(Action.UPDATE, "/etc/motd"), "~ a  File /etc/motd  update"),
        (Change(Action.UPDATE, "link /etc/motd.d -> /x"), "~ a  File /etc/motd  link /etc/motd.d -> /x"),
        (Unknown("Package supervisor"), "? a  File /etc/motd  known after Package supervisor"),
    ],
)
def test_a_line_says_symbol_host_resource_and_status(outcome: Change | Unknown, shown: str) -> None:
    assert lines(HostPlan("a", (item(outcome),))) == [shown]


def test_verbose_prints_lines_and_twice_also_unchanged_ones() -> None:
    plan = HostPlan("a", (item(AS_DECLARED), item(UPDATE)))
    assert lines(plan, verbose=1) == [
        "~ a  File /etc/motd  content  (base, roles/base.py:7)"
        "  (rollback: its previous content, if world-readable, up to 256 KiB)"
    ]
    assert lines(plan, verbose=2)[0] == "= a  File /etc/motd  as declared  (base, roles/base.py:7)"


NOTHING, ONE, LATER = (
    HostPlan("a", (item(AS_DECLARED),)),
    HostPlan("b", (item(UPDATE),)),
    HostPlan("c", (item(Unknown("b")),)),
)


@pytest.mark.parametrize(
    ("plans", "asked", "said"),
    [
        ((NOTHING,), 1, "plan: 0 changes on every host"),
        ((NOTHING,), 2, "plan: 0 changes on 1 host; 1 host could not be planned"),
        ((), 2, "plan: nothing planned; 2 hosts failed or could not be reached"),
        ((NOTHING, ONE), 2, "plan: 1 change on 1 host"),
        ((ONE, ONE), 2, "plan: 2 changes on 2 hosts"),
        ((ONE, LATER), 2, "plan: 1 change on 2 hosts, 1 known after other changes"),
        ((ONE,), 3, "plan: 1 change on 1 host; 2 hosts could not be planned"),
    ],
)
def test_the_summary_of_a_plan_claims_only_what_is_known(plans: tuple[HostPlan, ...], asked: int, said: str) -> None:
    assert text.plan_summary(plans, asked) == said


BROKEN = Explanation("disk full", host="b", role="base", line="roles/base.py:7", do="Free space")


@pytest.mark.parametrize(
    ("hosts", "code", "said"),
    [
        ([host("a", item(AS_DECLARED))], Exit.OK, "0 changes on every host"),
        ([host("a", item(UPDATE), applied=[item(UPDATE)]), host("b")], Exit.OK, "1 change on 1 host"),
        ([host("a"), broken("b")], Exit.FAILED, "0 changes; 1 host failed"),
        (
            [host("a"), broken("b", UnreachableError)],
            Exit.UNREACHABLE,
            "0 changes; 1 host could not be reached",
        ),
        (
            [host("a", item(UPDATE), not_done=(item(UPDATE),))],
            Exit.INTERRUPTED,
            "0 changes; 1 planned change not made; interrupted",
        ),
    ],
)
def test_the_summary_of_a_run_claims_only_what_was_done(hosts: list[HostRun], code: Exit, said: str) -> None:
    assert text.outcome_summary(Report(tuple(hosts), code, 1.5)) == f"{said}; 1.50 s"


def test_what_several_hosts_lack_is_said_once_with_their_names() -> None:
    said = text.paragraphs([BROKEN, replace(BROKEN, host="c"), BROKEN, replace(BROKEN, host="d", what="broken")])
    assert said == [
        "b, c, role base, roles/base.py:7: disk full. Free space.",
        "d, role base, roles/base.py:7: broken. Free space.",
    ]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (("10.4.7.21:22: refused", "10.4.7.22:22: refused"), ["a, b: no login. 10.4.7.21:22, 10.4.7.22:22: refused."]),
        (("10.4.7.21:22 said no", "10.4.7.22:22 said no"), ["a, b: no login. 10.4.7.21:22, 10.4.7.22:22 said no."]),
        (("[::1]:22: refused", "[::1]:22: refused"), ["a, b: no login. [::1]:22: refused."]),
        (("h:1: refused", "h:1: timeout"), ["a: no login. h:1: refused.", "b: no login. h:1: timeout."]),
        (("12:30 is late", ""), ["a: no login. 12:30 is late.", "b: no login."]),
    ],
)
def test_equal_errors_of_several_addresses_are_one(found: tuple[str, ...], said: list[str]) -> None:
    errors = [Explanation("no login", host=host, found=each) for host, each in zip("ab", found, strict=True)]
    assert text.paragraphs(errors) == said


def printed(events: list[Event], **options: Any) -> str:
    """What the console prints of these events into a pipe."""
    stream = io.StringIO()
    console = Console(stream, diff=False, **options)
    for event in events:
        console(event)
    return stream.getvalue()


def test_a_run_in_a_pipe_is_plain_lines_the_plan_before_the_changes() -> None:
    change = item(UPDATE)
    plans = [HostKnown(name, HostPlan(name, (change,)), 0.1) for name in ("a", "b")]
    done: list[Event] = [ChangeStarted("a", change), ChangeDone("a", change, 0.2)]
    failed = HostFailed("b", BROKEN, False, (change,))
    shown = printed(
        [RunStarted(("a", "b"), True), *plans, PlayStarted("greet", ("a", "b")), *done, failed, RunEnded(1.0)]
    )
    assert shown.splitlines() == [
        "~ a, b  File /etc/motd  content",
        "plan: 2 changes on 2 hosts",
        "greet: a, b",
        "~ a  File /etc/motd  updated  0.2 s",
        "! b  FAILED: disk full",
    ]


def test_a_no_op_prints_no_plan() -> None:
    known = HostKnown("a", HostPlan("a", (item(AS_DECLARED),)), 0.1)
    assert printed([RunStarted(("a",), True), known, RunEnded(0.2)]) == ""
    assert printed([RunStarted(("a",), False), known, RunEnded(0.2)]) == "plan: 0 changes on every host\n"


def test_the_closing_table_counts_what_was_done_or_what_would_be() -> None:
    hosts = [host("hdss7-11", item(UPDATE), item(Unknown("x")), applied=[item(UPDATE)])]
    head, row = text.table(hosts, check=False)
    assert re.split(r"\s{2,}", head.strip()) == [
        "host",
        "status",
        "changes",
        "pending",
        "connections",
        "execs",
        "seconds",
    ]
    assert row.split() == ["hdss7-11", "changed", "1", "1", "1", "1", "0.50"]
    assert text.table([host("a", item(UPDATE))], check=True)[1].split()[:4] == ["a", "would", "change", "1"]


def test_the_json_of_a_run_is_the_contracts() -> None:
    made = host("a", item(UPDATE), applied=[item(UPDATE)])
    planned = host("b", item(UPDATE), item(Unknown("Package nginx"), Directory(path="/srv")))
    away = broken("c", UnreachableError)
    said = json.loads(document(Report((made, planned, away), Exit.UNREACHABLE, 1.0), check=False))
    change = {"resource": "File /etc/motd", "role": "base", "summary": "/etc/motd: content", "diff": DIFF}
    assert (said["exit"], said["error"], list(said["hosts"])) == (3, None, ["a", "b", "c"])
    assert said["hosts"]["a"] == {
        "status": "changed",
        "changes": [change],
        "after": [],
        "error": None,
        "connections": 1,
        "execs": 1,
        "seconds": 0.5,
    }
    assert said["hosts"]["b"]["status"] == "would_change"
    assert said["hosts"]["b"]["after"] == [{"resource": "Directory /srv", "role": "base", "after": "Package nginx"}]
    assert said["hosts"]["c"]["status"] == "unreachable"
    assert set(said["hosts"]["c"]["error"]) == {"what", "host", "role", "line", "found", "do"}
    checked = json.loads(document(Report((planned,), Exit.DIFFERENCES, 1.0), check=True))
    assert checked["hosts"]["b"]["changes"] == [change]


def test_the_log_holds_every_event_with_its_time(tmp_path: Path) -> None:
    log = Log(tmp_path / "run.log")
    change = item(UPDATE)
    for event in (
        RunStarted(("a",), True),
        HostKnown("a", HostPlan("a", (change,)), 0.1),
        PlayStarted("greet", ("a",)),
        ChangeStarted("a", change),
        ChangeDone("a", change, 0.25),
        HostFailed("a", BROKEN, False, (change,)),
        RunEnded(1.0),
    ):
        log(event)
    written = log.path.read_text()
    assert re.match(r" +0\.\d{3} run of 1 hosts: a\n", written)
    for part in ("+new", "play greet: a", "begins File /etc/motd", "done File /etc/motd in 0.250 s", "not done: File"):
        assert part in written
