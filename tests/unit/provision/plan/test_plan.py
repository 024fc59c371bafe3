"""Facts in, plan out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from provision.errors import Exit, FailedError, InputError, ProvisionError, worst
from provision.facts.host import ContentQuestion, FileQuestion, FileState, ShellAnswer, UnitState
from provision.facts.platform import Platform, PlatformQuestion
from provision.plan.plan import Declaration, Item, check_platform, compare, decisive, explained, questions
from provision.resources import (
    Action,
    Change,
    Command,
    Directory,
    Download,
    File,
    Leftovers,
    Package,
    Pending,
    Program,
    Resource,
    Service,
    Symlink,
    Sysctl,
    Unknown,
)
from provision.resources.base import AS_DECLARED
from provision.resources.optional.dependent import combined_digest

FILE = File(path="/etc/motd", content=b"hello\n")
THERE = FileState("f", "644", "root", "root", "6 1.0 1.0 7", "", FILE.sha256)
SUM = "a" * 64


def item(resource: Resource, *states: Any, before: tuple[Resource, ...] = ()) -> Item:
    """One resource whose questions are answered, in order, by `states`, as the plan has it."""
    answers = dict(zip(resource.questions(), states, strict=True))
    declared = [Declaration(r, "role", "roles/role.py:1", 0) for r in (*before, resource)]
    for other in before:
        answers |= dict.fromkeys(other.questions(), FileState())
    return compare(declared, answers)[-1]


def outcome(resource: Resource, *states: Any) -> Any:
    """What differs of one resource."""
    return item(resource, *states).outcome


@pytest.mark.parametrize(
    ("state", "summary"),
    [
        (THERE, ""),
        (FileState(), "create /etc/motd"),
        (replace(THERE, sha256="0" * 64), "/etc/motd: content"),
        (replace(THERE, mode="600"), "/etc/motd: mode 0600 -> 0644"),
        (replace(THERE, owner="nobody", group="games"), "/etc/motd: owner nobody -> root, group games -> root"),
        (replace(THERE, kind="l", target="/x"), "/etc/motd: replace the link to /x by a file"),
    ],
)
def test_a_file_is_changed_exactly_where_it_differs(state: FileState, summary: str) -> None:
    found = item(FILE, state)
    assert found.summary == summary


def test_only_what_differs_travels() -> None:
    mode_only = outcome(FILE, replace(THERE, mode="600"))
    assert "hello" not in FILE.fix(mode_only).script
    content = outcome(FILE, replace(THERE, sha256="0" * 64))
    assert "hello" in FILE.fix(content).script


def test_a_diff_shows_the_line_and_a_secret_shows_nothing() -> None:
    declared = Declaration(FILE, "role", "roles/role.py:1", 0)
    changed = replace(THERE, sha256="0" * 64)
    items = compare([declared], {FileQuestion("/etc/motd"): changed})
    answers = {FileQuestion("/etc/motd"): changed, ContentQuestion("/etc/motd"): "hello\nby hand\n"}
    shown = explained(items, answers)[0].outcome
    assert isinstance(shown, Change)
    assert "-by hand" in shown.diff
    secret: File = replace(FILE, secret=True, mode="0600")
    items = compare([replace(declared, resource=secret)], {FileQuestion("/etc/motd"): changed})
    assert secret.evidence(items[0].outcome) == ()  # type: ignore[arg-type]
    hidden = explained(items, {})[0].outcome
    assert isinstance(hidden, Change)
    assert "hello" not in hidden.diff


@pytest.mark.parametrize(
    ("resource", "state"),
    [
        (FILE, FileState("d", "755", "root", "root")),
        (Directory(path="/data"), FileState("f", "644", "root", "root")),
        (Symlink(path="/opt/kubernetes", target="/x"), FileState("d", "755", "root", "root")),
    ],
)
def test_a_thing_of_another_kind_in_the_way_is_never_removed(resource: Resource, state: FileState) -> None:
    with pytest.raises(FailedError, match=r"role role, roles/role.py:1.*Nothing was changed.*Move it away"):
        outcome(resource, state)


@pytest.mark.parametrize(
    ("resource", "states", "summary"),
    [
        (Package(names=("nginx", "curl")), ["1.22", ""], "install curl"),
        (Package(names=("nginx",)), ["1.22"], ""),
        (Package(names=("nginx",), absent=True), ["1.22"], "remove nginx"),
        (Service(name="ssh"), [UnitState("loaded", "active", "enabled")], ""),
        (Service(name="ssh"), [UnitState("loaded", "failed", "enabled")], "ssh: failed -> running"),
        (Service(name="ssh"), [UnitState("masked", "inactive", "masked")],
         "ssh: inactive -> running, masked -> unmasked"),
        (Service(name="etcd", running=False, enabled=False), [UnitState("not-found", "inactive", "")], ""),
        (Sysctl(name="net.ipv4.ip_forward", value="1"), ["0", FileState()],
         "net.ipv4.ip_forward: 0 -> 1, persistent"),
        (Command(name="x", run="y", unless="z"), [ShellAnswer(0, "")], ""),
        (Command(name="x", run="y", unless="z"), [ShellAnswer(1, "")], "run: x"),
        (Download(path="/b", url="http://o/b", sha256=SUM), [replace(THERE, sha256=""), f"{SUM} 6 1.0 1.0 7"], ""),
        (Download(path="/b", url="http://o/b", sha256=SUM), [replace(THERE, sha256=""), f"{SUM} 6 1.0 2.0 7"],
         "fetch /b: it was replaced by hand"),
        (Download(path="/b", url="http://o/b", sha256=SUM), [replace(THERE, sha256=""), ""],
         "fetch /b: of unknown origin"),
        (Symlink(path="/opt/k", target="/b"), [FileState("l", target="/a")], "/opt/k: link /a -> /b"),
    ],
)  # fmt: skip
def test_what_differs_is_said_in_one_line(resource: Resource, states: list[Any], summary: str) -> None:
    found = item(resource, *states)
    assert found.summary == summary


PROGRAM = Program(name="kube-proxy-7-21", ready="true", log="/log", restart_on=(FILE,))
ACTIVE = combined_digest((FILE,))


@pytest.mark.parametrize(
    ("running", "stamp", "before", "summary"),
    [
        ((7,), ACTIVE, (), ""),
        ((), ACTIVE, (), "start kube-proxy-7-21"),
        ((7,), "older", (), "restart kube-proxy-7-21: it runs with an older configuration"),
        ((7,), "", (), "restart kube-proxy-7-21: it runs with an older configuration"),
        ((7,), ACTIVE, (FILE,), "restart kube-proxy-7-21: File /etc/motd changed"),
    ],
)
def test_a_program_restarts_for_newer_files_it_reads(
    running: tuple[int, ...], stamp: str, before: tuple[Resource, ...], summary: str
) -> None:
    found = item(PROGRAM, running, stamp, before=before)
    assert found.summary == summary


def test_content_that_is_still_to_be_made_is_after_and_not_guessed() -> None:
    file = File(path="/cert/ca.pem", content=Pending("deploy makes the certificates"))
    assert outcome(file, FileState()) == Unknown("deploy makes the certificates")


def test_a_question_that_several_resources_ask_is_asked_once() -> None:
    declared = [Declaration(r, "r", "l", 0) for r in (FILE, replace(FILE, mode="0600"), PROGRAM)]
    assert sum(1 for q in questions(declared) if isinstance(q, FileQuestion)) == 1


@pytest.mark.parametrize(
    ("platform", "found"),
    [
        (Platform("debian", "12", "Debian 12", "x86_64", ()), None),
        (Platform("ubuntu", "22.04", "Ubuntu 22.04", "x86_64", ()), None),
        (Platform("debian", "11", "Debian 11", "x86_64", ()), "Debian 11"),
        (Platform("centos", "7", "CentOS Linux 7", "x86_64", ("apt-get",)), "without apt-get"),
        (Platform("", "", "", "", ()), "unknown system"),
    ],
)
def test_a_host_of_another_kind_is_refused_before_it_is_compared(platform: Platform, found: str | None) -> None:
    if found is None:
        check_platform("h", {PlatformQuestion(): platform})
        return
    with pytest.raises(ProvisionError, match=found) as raised:
        check_platform("h", {PlatformQuestion(): platform})
    assert raised.value.exit is Exit.BAD_INPUT


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: File(path="etc/motd"), "not a usable path"),
        (lambda: File(path="/etc/motd", mode="644"), 'Write mode="0644"'),
        (lambda: File(path="/etc/motd", mode=cast(str, 644)), 'Write mode="0644"'),
        (lambda: Directory(path="/data/"), "trailing slash"),
        (lambda: Package(names=("Nginx!",)), "'Nginx!'"),
        (lambda: Download(path="/b", url="u", sha256="abc"), "sha256 'abc'"),
        (lambda: Program(name="a b", ready="true", log="/l"), "'a b'"),
    ],
)
def test_a_resource_that_can_not_be_right_is_refused_when_it_is_made(make: Any, says: str) -> None:
    with pytest.raises(InputError, match=says):
        make()


def test_the_worst_of_several_ends_decides_the_exit_code() -> None:
    assert worst([]) is Exit.OK
    assert worst([Exit.DIFFERENCES, Exit.FAILED]) is Exit.FAILED
    assert worst([Exit.FAILED, Exit.UNREACHABLE]) is Exit.UNREACHABLE
    assert worst([Exit.UNREACHABLE, Exit.BAD_INPUT, Exit.DIFFERENCES]) is Exit.BAD_INPUT


def test_a_local_file_is_streamed_and_compared_by_checksum(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"x" * 1000)
    file = File(path="/data/big", content=tmp_path / "big")
    assert file.fix(Change(Action.CREATE, "", parts=frozenset({"content"}))).payload == tmp_path / "big"
    assert outcome(file, replace(THERE, sha256=file.sha256)) == AS_DECLARED


@pytest.mark.parametrize(
    ("resource", "asked"),
    [
        (FILE, True),
        (Package(names=("nginx",)), True),
        (Service(name="nginx"), True),
        (Leftovers(name="old", look="true", remove="true"), True),
        (Command(name="load", run="true", unless="false"), False),
    ],
)
def test_only_what_a_plan_depends_on_is_asked_before_it_is_carried_out(resource: Resource, asked: bool) -> None:
    known = Item(Declaration(resource, "role", "roles/role.py:1", 0), Change(Action.UPDATE, "so"))
    assert decisive([known]) == ((known,) if asked else ())
    assert decisive([replace(known, outcome=Unknown("it runs"))]) == ()
