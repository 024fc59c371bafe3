"""The host's lock, with real shells at the other end: who has it, who is refused, and when it is free again."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import pytest

from provision.remote.connection import Session
from provision.remote.lock import Holder, run_id, take, take_all
from provision.remote.protocol import HEARTBEAT, Reader, Step, StepResult, frame, hello, loader

TOKEN = "provision-0123456789abcdef"


class LocalSession:
    """The step talk with a loader on this machine."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            ["sh", "-c", f"exec {loader(None)}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._reader = Reader(TOKEN)
        self._idle_timeout: float | None = None
        self._awaited = False
        self._write(hello(TOKEN, None))
        self._until(self._reader.ready)

    def set_idle_timeout(self, idle_timeout: float) -> None:
        self._idle_timeout = idle_timeout

    def heartbeat(self) -> None:
        self._write(HEARTBEAT)

    def begin(self, step: Step) -> None:
        self._write(b"".join(frame(step, self._idle_timeout, awaited=self._awaited)))
        self._awaited = self._idle_timeout is not None

    def run(self, step: Step) -> StepResult:
        self.begin(step)
        found: list[StepResult] = []

        def arrived() -> bool:
            result = self._reader.result()
            found.extend([result] if result else [])
            return bool(found)

        self._until(arrived)
        return found[0]

    def close(self) -> None:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(timeout=30)

    def _write(self, data: bytes) -> None:
        assert self.process.stdin
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def _until(self, done: Callable[[], bool]) -> None:
        assert self.process.stdout
        while not done():
            data = os.read(self.process.stdout.fileno(), 65536)
            assert data, "the loader has ended"
            self._reader.feed(data)


@contextmanager
def session() -> Iterator[LocalSession]:
    talk = LocalSession()
    try:
        yield talk
    finally:
        if talk.process.poll() is None:
            talk.close()


def taken(talk: LocalSession, who: str = "alice@desk", idle_timeout: float = 30, wait: int = 0) -> str:
    return take(cast(Session, talk), Holder(who), wait, idle_timeout)


def until_free(seconds: float = 10) -> float:
    """Seconds until another run gets the lock."""
    began = time.monotonic()
    with session() as other:
        assert taken(other, "zoe@desk", wait=int(seconds)) == "", "nobody else got it in time"
    return time.monotonic() - began


def test_the_second_run_waits_and_names_the_first() -> None:
    with session() as first, session() as second:
        assert taken(first, "alice@desk") == ""
        assert taken(second, "bob@desk").startswith("alice@desk, run 2")
        assert first.run(Step("echo still mine")).output == "still mine\n"
        first.close()
        assert taken(second, "bob@desk") == ""


def test_a_script_whose_connection_dropped_keeps_the_lock() -> None:
    with session() as first:
        assert taken(first) == ""
        first.begin(Step("sleep 2"))
        cut = threading.Thread(target=first.close)
        cut.start()
        with session() as other:
            time.sleep(0.3)
            assert taken(other, "bob@desk").startswith("alice@desk")
        assert until_free() > 1
        cut.join()


def test_a_script_that_outlives_its_own_loader_still_holds_the_lock() -> None:
    with session() as first:
        assert taken(first) == ""
        folder = Path(first.run(Step('dirname "$0"')).output.strip())
        assert re.fullmatch(r"/(run|tmp)/provision\.\w{6}", str(folder))
        first.begin(Step("sleep 2"))
        time.sleep(0.3)
        first.process.send_signal(signal.SIGKILL)
        first.process.wait()
        with session() as other:
            assert taken(other, "bob@desk").startswith("alice@desk")
        assert until_free() > 0.5
        shutil.rmtree(folder)  # nobody was left to do it


def test_only_heartbeats_keep_the_lock() -> None:
    with session() as first:
        assert taken(first, idle_timeout=1) == ""
        for _ in range(5):
            time.sleep(0.4)
            first.heartbeat()
        with session() as other:
            assert taken(other, "bob@desk").startswith("alice@desk")
        assert until_free() < 3
        first.process.wait(timeout=5)


def test_a_daemon_that_a_step_leaves_behind_does_not_keep_the_lock() -> None:
    with session() as first:
        assert taken(first) == ""
        first.run(Step("setsid -f sleep 8 >/dev/null 2>&1 </dev/null"))
    assert until_free() < 2


def test_a_session_without_changes_ignores_the_lock() -> None:
    with session() as first, session() as looker:
        assert taken(first) == ""
        assert looker.run(Step("ls -l /proc/$$/fd | grep -c provision.lock; echo seen")).output == "0\nseen\n"


def test_two_waiting_runs_never_deadlock() -> None:
    class Host:
        """A lock that another thread may hold."""

        def __init__(self) -> None:
            self.lock = threading.Lock()
            self.holder = ""

        def set_idle_timeout(self, idle_timeout: float) -> None: ...

    class Side:
        def __init__(self, host: Host, who: str) -> None:
            self.host, self.who = host, who

        def set_idle_timeout(self, idle_timeout: float) -> None: ...

        def run(self, step: Step) -> StepResult:
            if not self.host.lock.acquire(timeout=max(0.01, step.timeout - 20)):
                return StepResult(75, self.host.holder)
            self.host.holder = self.who
            return StepResult(0, "")

    hosts = {name: Host() for name in ("c", "a", "b")}
    ended = []

    def each(work: Callable[[str], None], names: list[str]) -> None:
        for name in names:
            work(name)

    def one(who: str, order: list[str]) -> None:
        sides = {name: cast(Session, Side(hosts[name], who)) for name in order}
        held = take_all(sides, Holder(who), each, wait=10)
        assert held == {}
        time.sleep(0.05)
        for name in order:
            hosts[name].lock.release()
        ended.append(who)

    threads = [threading.Thread(target=one, args=(w, o)) for w, o in (("x", ["a", "b", "c"]), ("y", ["c", "b", "a"]))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert sorted(ended) == ["x", "y"]


def test_runs_are_named_so_that_they_sort_by_time() -> None:
    holder = Holder("alice@desk")
    assert holder.run.startswith(f"{holder.began:%Y%m%dT%H%M%S}-")
    assert run_id(holder.began) != run_id(holder.began)
    assert str(holder) == f"alice@desk, run {holder.run}, since {holder.began:%Y-%m-%d %H:%M:%S} UTC"


pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="another user's lock lies elsewhere")
