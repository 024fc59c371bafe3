"""The engine on real hosts: what it costs, what it refuses, and that a refusal changes nothing."""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from lab import commands
from provision.apply.events import ChangeStarted, Event
from provision.apply.options import RunOptions
from provision.apply.run import HostRun, Report
from provision.errors import Exit
from provision.inventory import Inventory
from provision.inventory.access import FABRIC, OPENSSH
from provision.plan.plan import Declaration
from provision.playbook.plays import Play
from provision.remote.login import Login
from provision.resources import Command, Directory, File, Package, Program, Resource, Service, Symlink, Sysctl
from provision.resources.base import Rendering
from provision.runner import run
from tests.fixed_site import FixedSite
from tests.lab.conftest import RunningLab, both_transports
from tests.lab.refused import REFUSED

HOSTS = ("hdss7-11", "hdss7-21", "hdss7-22")
PLAY = Play(name="a play", hosts="all", roles=(), line="site.yml:1")


def logins(lab: RunningLab, names: Iterable[str] = HOSTS, transport: str = FABRIC) -> tuple[Login, ...]:
    hosts = map(Inventory.load(lab.sources).host, names)
    return tuple(Login.of(host, user=None, key=None, become_password=None, transport=transport) for host in hosts)


def converge(
    logins: tuple[Login, ...],
    resources: Iterable[Resource],
    *,
    check: bool = False,
    on: Callable[[Event], None] = lambda _: None,
    stop: threading.Event | None = None,
    wait: float = 0,
) -> Report:
    """One run with these resources on every host."""
    rendering = Rendering(lambda template: "")
    declared = tuple(Declaration(rendering.resource(r), "role", "roles/role.py:1", 0) for r in resources)
    names = tuple(login.name for login in logins)
    site = FixedSite((PLAY,), logins, {"all": names}, lambda _: declared)
    return run(site, RunOptions(check=check, wait=wait), on, stop)


def on_host(lab: RunningLab, host: str, script: str) -> str:
    """What a script prints on a host, past sshd."""
    argv = commands.command(lab.name, host, ["sh", "-c", script])
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True).stdout.strip()


def only(report: Report) -> HostRun:
    assert len(report.hosts) == 1
    return report.hosts[0]


@pytest.fixture
def one(bare_lab: RunningLab, transport: str) -> tuple[Login, ...]:
    return logins(bare_lab, ["hdss7-11"], transport)


def sessions(lab: RunningLab, host: str) -> tuple[int, int]:
    """(connections, execs) that this host's sshd has logged so far."""
    log = on_host(lab, host, "journalctl -u ssh -o cat --no-pager")
    return len(re.findall(r"^Accepted publickey ", log, re.M)), len(
        re.findall(r"^Starting session: (?:command|shell)", log, re.M)
    )


@pytest.mark.parametrize("count", [10, 200])
def test_a_run_with_nothing_to_do_costs_one_connection_and_one_exec(bare_lab: RunningLab, count: int) -> None:
    resources = [File(path=f"/data/budget-{n}", content=f"{n}\n" * 50) for n in range(count - 3)]
    resources_all = [
        Directory(path="/data"),
        *resources,
        Sysctl(name="net.ipv4.ip_forward", value="1"),
        Service(name="ssh"),
    ]
    assert converge(logins(bare_lab), resources_all).exit is Exit.OK
    before = {host: sessions(bare_lab, host) for host in HOSTS}
    report = converge(logins(bare_lab), resources_all)
    assert [h.status for h in report.hosts] == ["ok"] * 3
    for host in HOSTS:
        connections, execs = sessions(bare_lab, host)
        assert (connections - before[host][0], execs - before[host][1]) == (1, 1)
    assert [(h.remote.connections, h.remote.execs) for h in report.hosts] == [(1, 1)] * 3


def test_a_quiet_run_over_kept_connections_costs_one_exec(bare_lab: RunningLab) -> None:
    assert converge(logins(bare_lab, transport=OPENSSH), [Service(name="ssh")]).exit is Exit.OK
    before = {host: sessions(bare_lab, host) for host in HOSTS}
    report = converge(logins(bare_lab, transport=OPENSSH), [Service(name="ssh")])
    assert [(h.status, h.remote.connections, h.remote.execs) for h in report.hosts] == [("ok", 0, 1)] * 3
    for host in HOSTS:
        connections, execs = sessions(bare_lab, host)
        assert (connections - before[host][0], execs - before[host][1]) == (0, 1)


def test_a_run_with_many_changes_still_needs_one_exec(bare_lab: RunningLab, one: tuple[Login, ...]) -> None:
    before = sessions(bare_lab, "hdss7-11")
    assert converge(one, [File(path=f"/data/many-{n}", content="x") for n in range(30)]).exit is Exit.OK
    connections, execs = sessions(bare_lab, "hdss7-11")
    assert (connections - before[0], execs - before[1]) == (1, 1)


def test_a_change_is_made_shown_and_needed_only_once(bare_lab: RunningLab, one: tuple[Login, ...]) -> None:
    motd = File(path="/etc/motd", content="hello\n", mode="0640")
    link = Symlink(path="/opt/here", target="/etc/motd")
    touched = Command(name="count", run="echo x >>/data/runs", unless="test -s /data/runs", on_change=(motd,))
    everything = [Directory(path="/data"), motd, link, touched]
    plan = only(converge(one, everything, check=True))
    assert plan.plan
    assert [i.resource.key for i in plan.plan.changes] == ["File /etc/motd", "Symlink /opt/here", "Command count"]
    assert on_host(bare_lab, "hdss7-11", "ls /opt").split() == []
    assert only(converge(one, everything)).status == "changed"
    assert on_host(bare_lab, "hdss7-11", "stat -c %a /etc/motd; cat /opt/here; wc -l </data/runs").split() == [
        "640",
        "hello",
        "1",
    ]
    assert only(converge(one, everything)).status == "ok"
    changed = replace(motd, content="bye\n")
    again = [Directory(path="/data"), changed, link, replace(touched, on_change=(changed,))]
    assert only(converge(one, again)).status == "changed"
    assert on_host(bare_lab, "hdss7-11", "wc -l </data/runs") == "2"


@pytest.mark.parametrize(("prepare", "resource", "says"), REFUSED.values(), ids=REFUSED.keys())
def test_what_can_not_be_done_says_so_in_one_paragraph(
    bare_lab: RunningLab, one: tuple[Login, ...], prepare: str, resource: Resource, says: str
) -> None:
    on_host(bare_lab, "hdss7-11", prepare)
    report = converge(one, [resource, File(path="/data/never", content="after a failure")])
    host = only(report)
    assert report.exit is Exit.FAILED
    assert host.error
    text = str(host.error)
    assert says in text
    assert "roles/role.py:1" in text
    assert "Traceback" not in text
    assert host.error.host == "hdss7-11"
    # whatever comes after a failure is not begun, and no half of the file itself is left
    left = "cd /data; ls -d never full/* full/.[!.]* ro/* nobodys .n* tool .tool* 2>/dev/null; true"
    assert on_host(bare_lab, "hdss7-11", left) == ""


@both_transports
def test_one_host_that_is_down_does_not_stop_the_others(bare_lab: RunningLab, transport: str) -> None:
    there, down = logins(bare_lab, ["hdss7-21", "hdss7-22"], transport)
    gone = replace(down, address="10.4.7.99", timeout=2)
    report = converge((there, gone), [File(path=f"/data/there-{transport}", content="x")])
    assert report.exit is Exit.UNREACHABLE
    assert [h.status for h in report.hosts] == ["changed", "unreachable"]
    assert "10.4.7.99:22" in str(report.hosts[1].error)


UNREACHABLE: dict[str, tuple[Callable[[Login, Path], Login], str]] = {
    "wrong port": (lambda login, _: replace(login, port=23, port_left=False), "connection refused"),
    "unknown host key": (lambda login, tmp: replace(login, known_hosts=(str(tmp / "none"),)), "invoke hosts.trust"),
    "key refused": (lambda login, tmp: replace(login, key_files=(_key(tmp),)), "was not let in"),
    "no such user": (lambda login, _: replace(login, user="nobody-here"), "nobody-here was not let in"),
}


def _key(directory: Path) -> str:
    path = directory / "id"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    return str(path)


@both_transports
@pytest.mark.parametrize(("spoil", "says"), UNREACHABLE.values(), ids=UNREACHABLE.keys())
def test_a_login_that_fails_says_why_and_what_to_do(
    one: tuple[Login, ...], tmp_path: Path, spoil: Callable[[Login, Path], Login], says: str
) -> None:
    report = converge((spoil(one[0], tmp_path),), [File(path="/data/never", content="x")])
    assert report.exit is Exit.UNREACHABLE
    assert says in str(only(report).error)


@both_transports
def test_a_changed_host_key_is_refused_with_both_fingerprints(one: tuple[Login, ...], tmp_path: Path) -> None:
    public = Path(_key(tmp_path) + ".pub").read_text().split()[:2]
    (tmp_path / "known").write_text(f"10.4.7.11 {' '.join(public)}\n")
    report = converge((replace(one[0], known_hosts=(str(tmp_path / "known"),)),), [])
    text = str(only(report).error)
    assert report.exit is Exit.UNREACHABLE
    assert text.count("SHA256:") == 2
    assert "invoke hosts.trust hdss7-11" in text


@both_transports
def test_an_interrupted_run_ends_between_two_steps(one: tuple[Login, ...], transport: str) -> None:
    stop = threading.Event()
    stops = [f"/data/stop-{transport}-{n}" for n in range(5)]

    def after_the_second(event: Event) -> None:
        if isinstance(event, ChangeStarted) and event.item.resource.key == f"File {stops[2]}":
            stop.set()

    files = [File(path=path, content="x") for path in stops]
    report = converge(one, files, on=after_the_second, stop=stop)
    host = only(report)
    assert report.exit is Exit.INTERRUPTED
    assert [a.item.resource.key for a in host.applied] == [f"File {path}" for path in stops[:3]]
    assert [i.resource.key for i in host.not_done] == [f"File {path}" for path in stops[3:]]
    assert only(converge(one, files)).status == "changed"


@pytest.fixture(scope="module")
def supervised(bare_lab: RunningLab) -> tuple[Login, ...]:
    """A host with supervisor from the lab's own apt repository."""
    source = File(path="/etc/apt/sources.list.d/lab.list", content="deb [trusted=yes] http://10.4.7.200/apt ./\n")
    login = logins(bare_lab, ["hdss7-22"])
    report = converge(login, [source, Package(names=("supervisor",)), Service(name="supervisor")])
    assert report.exit is Exit.OK, only(report).error
    return login


def unit(command: str) -> File:
    text = f"[program:p-7-22]\ncommand={command}\nautorestart=true\nstartsecs=1\nstdout_logfile=/data/p.log\n"
    return File(path="/etc/supervisor/conf.d/p-7-22.conf", content=text + "redirect_stderr=true\n")


def test_a_program_restarts_only_when_its_unit_changes(supervised: tuple[Login, ...]) -> None:
    first = unit("sleep 1000")
    program = Program(name="p-7-22", ready="pgrep -x sleep", log="/data/p.log", restart_on=(first,), ready_timeout=10)
    everything: list[Resource] = [Directory(path="/data"), first, program]
    assert only(converge(supervised, everything)).status == "changed"
    assert only(converge(supervised, everything)).status == "ok"
    second = unit("sleep 2000")
    changed = replace(program, ready='pgrep -fx "sleep 2000"', restart_on=(second,))
    report = converge(supervised, [Directory(path="/data"), second, changed])
    assert [a.item.resource.key for a in only(report).applied] == [f"File {second.path}", "Program p-7-22"]


def test_what_an_older_unit_would_have_orphaned_ends_with_it(
    bare_lab: RunningLab, supervised: tuple[Login, ...]
) -> None:
    # the course's: a shell in between, and no killasgroup; the second ends only when it is killed
    for old, new in (("sleep 4711", "sleep 4712"), ("perl -e '$SIG{TERM} = sub {}; sleep 1 while 1'", "sleep 4713")):
        wrapped = File(path="/srv/wrapped.sh", content=f"#!/bin/sh\n{old}\ntrue\n", mode="0755")
        first, second = unit("/srv/wrapped.sh"), unit(new)
        program = Program(
            name="p-7-22", ready="pgrep -f '[0-9]'", log="/data/p.log", restart_on=(first,), ready_timeout=30
        )
        assert only(converge(supervised, [Directory(path="/data"), wrapped, first, program])).status == "changed"
        assert on_host(bare_lab, "hdss7-22", "pgrep -fx /bin/sh.*wrapped.sh; pgrep -f '4711|[p]erl'") != ""
        after = replace(program, ready=f'pgrep -fx "{new}"', restart_on=(second,))
        assert only(converge(supervised, [Directory(path="/data"), second, after])).status == "changed"
        assert on_host(bare_lab, "hdss7-22", "pgrep -fx 'sleep 4711'; pgrep -f '[p]erl'; true") == ""


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("sh -c 'echo out of luck; exit 4'", "out of luck"),
        ("/no/such/program", "p-7-22"),
    ],
)
def test_a_program_that_does_not_come_up_shows_its_last_lines(
    supervised: tuple[Login, ...], command: str, says: str
) -> None:
    bad = unit(command)
    program = Program(name="p-7-22", ready="false", log="/data/p.log", restart_on=(bad,), ready_timeout=6)
    report = converge(supervised, [Directory(path="/data"), bad, program])
    text = str(only(report).error)
    assert report.exit is Exit.FAILED
    assert says in text
    assert "BACKOFF" in text or "FATAL" in text or "was not ready" in text
