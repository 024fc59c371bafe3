"""The controller as a host: the same conversation as over SSH, with a real process."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from provision.errors import FailedError, UnreachableError
from provision.remote.host import RemoteHost
from provision.remote.lock import Holder, take
from provision.remote.login import Login
from provision.remote.protocol import Step

HERE = Login("here", "localhost", local=True)


@pytest.fixture
def host() -> Iterator[RemoteHost]:
    made = RemoteHost(HERE)
    yield made
    made.close()


def alive(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return state.strip() != "" and not state.startswith("Z")


def awaited(pid: int, *, seconds: float = 10) -> bool:
    """Whether a process ends in time."""
    end = time.monotonic() + seconds
    while alive(pid) and time.monotonic() < end:
        time.sleep(0.01)
    return not alive(pid)


def test_steps_run_one_after_the_other_in_one_exec_without_a_connection(host: RemoteHost) -> None:
    first = host.session().run(Step("echo out; echo err >&2; exit 3"))
    assert (first.code, first.output, first.errors) == (3, "out\n", "err")
    assert host.session().run(Step("cat", b"payload\n")).output == "payload\n"
    assert (host.connections, host.execs) == (0, 1)


def test_a_payload_of_ten_megabytes_arrives(host: RemoteHost, tmp_path: Path) -> None:
    payload = tmp_path / "payload"
    payload.write_bytes(os.urandom(10_000_000))
    assert host.session().run(Step(f"cmp - {payload}", payload)).code == 0
    assert len(host.session().run(Step(f"od -An -tx1 {payload} | head -c 10000000")).output) == 10_000_000


def test_a_step_has_its_own_session_so_that_ctrl_c_does_not_reach_it(host: RemoteHost) -> None:
    group = int(host.session().run(Step("ps -o sid= -p $$")).output)
    assert group != os.getsid(0)


def test_the_end_of_the_session_ends_the_loader_and_removes_its_folder(host: RemoteHost) -> None:
    found = host.session().run(Step('echo "$PPID"; dirname "$0"')).output.split()
    loader, folder = int(found[0]), Path(found[1])
    assert folder.is_dir()
    host.close()
    assert awaited(loader)
    assert not folder.exists()


def test_a_step_that_runs_when_the_session_is_cut_goes_on_to_its_end(host: RemoteHost, tmp_path: Path) -> None:
    session, begun, done = host.session(), tmp_path / "begun", tmp_path / "done"
    script = f"touch {begun}; until [ -e {tmp_path}/go ]; do sleep 0.01; done; touch {done}"
    errors: list[Exception] = []

    def work() -> None:
        try:
            session.run(Step(script))
        except UnreachableError as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    end = time.monotonic() + 10
    while not begun.exists() and time.monotonic() < end:
        time.sleep(0.01)
    host.cut()
    thread.join(10)
    assert [str(error) for error in errors] != []
    (tmp_path / "go").touch()
    while not done.exists() and time.monotonic() < end:
        time.sleep(0.01)
    assert done.exists()


def test_a_loader_that_is_killed_is_a_lost_host(host: RemoteHost) -> None:
    os.killpg(int(host.session().run(Step("ps -o sid= -p $$")).output), signal.SIGKILL)
    with pytest.raises(UnreachableError, match=r"here: lost the connection. on this machine: "):
        host.session().run(Step("true"))


def test_two_runs_on_this_machine_lock_each_other_out(host: RemoteHost) -> None:
    other = RemoteHost(HERE)
    try:
        assert take(host.session(), Holder("alice@desk")) == ""
        assert "alice@desk" in take(other.session(), Holder("bob@desk"))
    finally:
        other.close()
    host.close()


def test_a_sudo_that_refuses_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sudo").write_text("#!/bin/sh\necho 'sudo: a password is required' >&2; exit 1\n")
    (tmp_path / "sudo").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    host = RemoteHost(Login("here", "localhost", local=True, become_user="root"))
    with pytest.raises(FailedError, match="sudo to root was refused"):
        host.session().run(Step("true"))
    host.close()
