"""Hosts behind the system's ssh, on a real sshd: what a kept connection saves, and what it must survive."""

from __future__ import annotations

import base64
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lab.process import children
from provision.errors import FailedError, UnreachableError
from provision.inventory.access import FABRIC, OPENSSH
from provision.inventory.ssh_args import Jump
from provision.remote import lock, masters
from provision.remote.host import RemoteHost, over_fresh_connection
from provision.remote.host_keys import HostKey
from provision.remote.login import Login, offered_key
from provision.remote.openssh_key import shown_key
from provision.remote.protocol import Step
from tests.unit.provision.remote.loopback import Loopback, running

HERE = "tests.unit.provision.remote.loopback"
MAX_SESSIONS = 10  # sshd_config(5)
ASKED = Step("echo here", asks=True)


@pytest.fixture(scope="module")
def sshd() -> Iterator[Loopback]:
    with running() as made:
        yield made


@pytest.fixture(autouse=True)
def state(sshd: Loopback, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Sockets in a folder of the test's own; none is left open."""
    monkeypatch.setenv("XDG_STATE_HOME", str(sshd.folder / "state"))
    yield
    for master in masters.kept():
        master.end()
    assert masters.kept() == []


def asked(login: Login, step: Step = ASKED) -> tuple[str, int, int]:
    """(output, connections, execs) of one step."""
    remote = RemoteHost(login)
    try:
        return remote.session().run(step).output.strip(), remote.connections, remote.execs
    finally:
        remote.close()


def holder() -> int:
    """The process that holds the only kept connection."""
    (master,) = masters.kept()
    argv = ["ssh", "-S", str(master.socket), "-O", "check", "any"]
    said = subprocess.run(argv, capture_output=True, text=True, check=True).stderr
    return int(re.findall(r"pid=(\d+)", said)[0])


def test_the_second_run_uses_the_connection_of_the_first(sshd: Loopback) -> None:
    connections, execs = sshd.counts
    assert asked(sshd.by(OPENSSH)) == ("here", 1, 1)
    assert asked(sshd.by(OPENSSH)) == ("here", 0, 1)
    assert sshd.counts == (connections + 1, execs + 2)
    (master,) = masters.kept()
    assert (master.socket.stat().st_mode & 0o777, master.socket.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_a_connection_is_begun_before_it_is_needed(sshd: Loopback) -> None:
    remote = RemoteHost(sshd.by(OPENSSH))
    remote.begin()
    try:
        assert remote.session().run(ASKED).output == "here\n"
    finally:
        remote.close()


def test_proof_that_a_host_is_reachable_needs_a_new_connection(sshd: Loopback) -> None:
    asked(sshd.by(OPENSSH))
    before, _ = sshd.counts
    assert over_fresh_connection(sshd.by(OPENSSH), ASKED).output == "here\n"
    assert sshd.counts[0] == before + 1


def test_a_changed_known_hosts_ends_the_use_of_a_connection(sshd: Loopback) -> None:
    login = sshd.by(OPENSSH, known_hosts=(sshd.known("changing", "host"),))
    assert asked(login)[1:] == (1, 1)
    sshd.known("changing", "another")
    with pytest.raises(UnreachableError, match="the host key has changed"):
        asked(login)


REFUSED: dict[str, tuple[Callable[[Loopback, Login], Login], str]] = {
    "nobody listens": (lambda sshd, login: replace(login, port=1), "could not log in. 127.0.0.1:1: connection refused"),
    "unknown key": (
        lambda sshd, login: replace(login, known_hosts=(str(sshd.folder / "none"),)),
        r"the host key is unknown: refused. 127.0.0.1:\d+ is in none of .*hosts.trust one",
    ),
    "changed key": (
        lambda sshd, login: replace(login, known_hosts=(sshd.known("other", "another"),)),
        r"the host key has changed: refused. .* SHA256:\S+, known is ssh-ed25519 SHA256:\S+\. .*hosts.trust one",
    ),
    "revoked key": (
        lambda sshd, login: replace(login, known_hosts=(sshd.known("bad", "host", "@revoked "),)),
        "the host key is revoked: refused",
    ),
    "refused key": (
        lambda sshd, login: replace(login, key_files=(str(sshd.folder / "another"),)),
        r"was not let in. 127.0.0.1:\d+ refused .*another: ",
    ),
    "no such user": (lambda sshd, login: replace(login, user="nobody-here"), "nobody-here was not let in"),
    "no such name": (lambda sshd, login: replace(login, address="no-such-host.invalid"), "could not log in"),
    "dialler without an answer": (
        lambda sshd, login: replace(login, dial=f"{HERE}:dial_nobody"),
        "no answer within the connect timeout",
    ),
}


@pytest.mark.parametrize("transport", [FABRIC, OPENSSH])
@pytest.mark.parametrize(("spoil", "says"), REFUSED.values(), ids=REFUSED.keys())
def test_both_transports_say_the_same_of_a_login_that_fails(
    sshd: Loopback, transport: str, spoil: Callable[[Loopback, Login], Login], says: str
) -> None:
    sshd.public("another")
    remote = RemoteHost(spoil(sshd, sshd.by(transport)))
    with pytest.raises(UnreachableError, match=f"^one: {says}" if says[0] == "t" else says):
        remote.session().begin()
    assert (remote.connections, remote.execs) == (0, 0)
    remote.close()


@pytest.mark.parametrize("transport", [FABRIC, OPENSSH])
def test_a_silent_port_is_told_from_a_dead_host(sshd: Loopback, transport: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        login = sshd.by(transport, port=server.getsockname()[1], timeout=1)
        with pytest.raises(UnreachableError, match="the port accepts connections, but sshd sends nothing"):
            asked(login)


def test_a_killed_holder_is_replaced(sshd: Loopback) -> None:
    asked(sshd.by(OPENSSH))
    os.kill(holder(), signal.SIGKILL)
    assert asked(sshd.by(OPENSSH)) == ("here", 1, 1)
    assert asked(sshd.by(OPENSSH)) == ("here", 0, 1)


def test_a_frozen_holder_is_replaced(sshd: Loopback) -> None:
    asked(sshd.by(OPENSSH))
    frozen = holder()
    os.kill(frozen, signal.SIGSTOP)
    try:
        assert asked(sshd.by(OPENSSH)) == ("here", 1, 1)
    finally:
        os.kill(frozen, signal.SIGKILL)


@pytest.mark.parametrize("asks", [True, False])
def test_a_step_runs_once_over_a_line_that_died(sshd: Loopback, asks: bool) -> None:
    login = sshd.by(OPENSSH, timeout=1)
    others = {*children(sshd.process)}
    asked(login)
    (dead,) = {*children(sshd.process)} - others
    os.kill(dead, signal.SIGSTOP)
    marks = sshd.folder / f"marks-{asks}"
    began = time.monotonic()
    try:
        _, connections, execs = asked(login, Step(f"echo x >>{marks}", asks=asks))
    finally:
        os.kill(dead, signal.SIGCONT)
    assert (connections, execs) == (1, 2)
    assert time.monotonic() - began < 15
    time.sleep(1)  # whatever the dead line still carried has arrived by now
    assert asks or marks.read_text() == "x\n"


def test_a_line_that_breaks_during_a_step_is_lost(sshd: Loopback) -> None:
    remote = RemoteHost(sshd.by(OPENSSH))
    session = remote.session()
    session.begin()
    os.kill(holder(), signal.SIGKILL)
    with pytest.raises(UnreachableError, match="lost the connection"):
        session.run(Step("sleep 3"))
    remote.close()


def test_a_cut_session_leaves_the_connection_to_others(sshd: Loopback) -> None:
    one, two = RemoteHost(sshd.by(OPENSSH)), RemoteHost(sshd.by(OPENSSH))
    for remote in (one, two):
        remote.session().begin()
    one.cut()
    with pytest.raises(UnreachableError):
        one.session().run(ASKED)
    assert two.session().run(ASKED).output == "here\n"
    assert two.connections == 0
    one.close()
    two.close()


def test_more_sessions_than_one_connection_takes_all_work(sshd: Loopback) -> None:
    remotes = [RemoteHost(sshd.by(OPENSSH)) for _ in range(MAX_SESSIONS + 2)]
    try:
        assert {remote.session().run(ASKED).output for remote in remotes} == {"here\n"}
    finally:
        for remote in remotes:
            remote.close()


def test_a_lock_is_held_until_its_session_is_cut(sshd: Loopback) -> None:
    first, second = RemoteHost(sshd.by(OPENSSH)), RemoteHost(sshd.by(OPENSSH))
    assert lock.take(first.session(), lock.Holder("alice")) == ""
    assert lock.take(second.session(), lock.Holder("bob")).startswith("alice")
    first.cut()
    assert lock.take(second.session(), lock.Holder("bob"), wait=10) == ""
    first.close()
    second.close()


def test_large_payloads_arrive_whole_both_ways(sshd: Loopback, tmp_path: Path) -> None:
    data = os.urandom(3 << 20)
    (tmp_path / "payload").write_bytes(data)
    remote = RemoteHost(sshd.by(OPENSSH))
    result = remote.session().run(Step("base64 -w 0", payload=tmp_path / "payload"))
    remote.close()
    assert base64.b64decode(result.output) == data


def test_a_socket_of_a_dialler_is_handed_to_ssh(sshd: Loopback) -> None:
    login = sshd.by(OPENSSH, address="192.0.2.1", dial=f"{HERE}:dial 127.0.0.2")
    login = replace(login, known_hosts=(sshd.known("dialled", "host", addresses=("192.0.2.1",)),))
    assert asked(login) == ("here", 1, 1)
    assert asked(login) == ("here", 0, 1)
    assert children(holder()) == []  # nothing is left that would carry bytes


def test_a_dialler_that_needs_its_process_keeps_it(sshd: Loopback) -> None:
    assert asked(sshd.by(OPENSSH, dial=f"{HERE}:dial_wrapped 127.0.0.1")) == ("here", 1, 1)


def test_jump_hosts_are_checked_as_strictly_as_the_host(sshd: Loopback) -> None:
    login = sshd.login
    jump = Jump("127.0.0.2", login.user, sshd.port)
    before, _ = sshd.counts
    assert asked(sshd.by(OPENSSH, jumps=(jump, jump))) == ("here", 1, 1)
    assert sshd.counts[0] == before + 3
    only_the_host = sshd.known("target", "host", addresses=("127.0.0.1",))
    with pytest.raises(UnreachableError, match="the host key is unknown"):
        asked(sshd.by(OPENSSH, jumps=(jump,), known_hosts=(only_the_host,)))


def test_a_folder_with_too_long_a_name_is_refused(sshd: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(sshd.folder / ("long" * 15)))
    with pytest.raises(FailedError, match="Set XDG_STATE_HOME to a shorter one"):
        asked(sshd.by(OPENSSH))


def test_neither_fabric_nor_paramiko_is_imported(sshd: Loopback) -> None:
    script = (
        "import sys\nfrom tests.unit.provision.remote.test_openssh import *\n"
        f"print(asked(eval({repr(sshd.by(OPENSSH))!r})))\n"
        "print([name for name in ('fabric', 'paramiko') if name in sys.modules])\n"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout == "('here', 1, 1)\n[]\n"


def test_the_key_that_ssh_is_shown_is_the_hosts(sshd: Loopback) -> None:
    kind, key = sshd.public("host").split()
    nothing_known = (str(sshd.folder / "none"),)
    wanted = (f"[127.0.0.1]:{sshd.port}", HostKey(kind, key))
    for transport, ask in ((OPENSSH, shown_key), (FABRIC, offered_key)):
        assert ask(sshd.by(transport, known_hosts=nothing_known)) == wanted
    with pytest.raises(UnreachableError, match="connection refused"):
        shown_key(sshd.by(OPENSSH, port=1))


def test_connections_are_found_by_dialler_and_by_place(sshd: Loopback) -> None:
    dial = f"{HERE}:dial 127.0.0.2"
    known = (sshd.known("dialled", "host", addresses=("192.0.2.1",)),)
    dialled = sshd.by(OPENSSH, address="192.0.2.1", dial=dial, known_hosts=known)
    direct = sshd.by(OPENSSH)
    for login in (direct, dialled):
        asked(login)
    assert [len(found) for found in (masters.kept(), masters.kept(dial=dial), masters.kept("", direct.place))] == [
        2,
        1,
        1,
    ]
    assert [master.end() for master in masters.kept(dial=dial)] == [True]
    assert masters.kept(dial, dialled.place) == []
    assert asked(direct)[1] == 0
