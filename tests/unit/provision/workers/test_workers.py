"""Workers share the hosts; what only asks goes on elsewhere when one is lost, and nothing else is repeated."""

from __future__ import annotations

import os
import pickle
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from provision.errors import FailedError, InputError, WorkerLostError
from provision.remote.host import RemoteHost
from provision.remote.login import Login
from provision.remote.protocol import Step
from provision.workers import workers as module
from provision.workers.desk import Desk, handle
from provision.workers.host import WorkerHost
from provision.workers.local import local_workers
from provision.workers.parcel import Beat, Failure, Introduce, Introduction, Parcel, Turn
from provision.workers.workers import Worker, Workers, introduced

HERE = Login("here", "localhost", local=True)


@pytest.fixture
def workers() -> Iterator[Workers]:
    with local_workers(2, 8) as made:
        yield made


def test_steps_of_a_host_share_one_exec_at_a_worker(workers: Workers) -> None:
    host = WorkerHost(HERE, workers)
    assert [host.session().run(Step(f"echo {word}")).output.strip() for word in "ab"] == ["a", "b"]
    assert (host.connections, host.execs, host.moved) == (0, 1, ())


def test_hosts_are_spread_over_the_workers(workers: Workers) -> None:
    hosts = [WorkerHost(HERE, workers) for _ in range(4)]
    for host in hosts:
        host.session().begin()
    kept = sorted(len(worker.kept) for worker in workers._workers)
    assert kept == [2, 2]


def killed(workers: Workers, host: WorkerHost) -> str:
    """Ends the worker that has the host; its name."""
    [worker] = [each for each in workers._workers if each.kept]
    os.kill(int(worker.name.split()[1]), signal.SIGKILL)
    return worker.name


def test_a_question_goes_on_at_another_worker(workers: Workers) -> None:
    host = WorkerHost(HERE, workers)
    host.session().begin()
    lost = killed(workers, host)
    assert host.session().run(Step("echo asked", asks=True)).output.strip() == "asked"
    assert host.moved == (lost,)
    assert host.execs == 2


def test_a_change_is_never_repeated(workers: Workers, tmp_path: Path) -> None:
    host = WorkerHost(HERE, workers)
    host.session().begin()
    killed(workers, host)
    with pytest.raises(WorkerLostError, match="handled this host is lost"):
        host.session().run(Step(f"echo >>{tmp_path}/changed"))
    assert not (tmp_path / "changed").exists()


def test_a_locked_host_is_asked_no_more_without_its_lock(workers: Workers) -> None:
    host = WorkerHost(HERE, workers)
    host.session().set_idle_timeout(30)
    host.session().begin()
    killed(workers, host)
    with pytest.raises(WorkerLostError):
        host.session().run(Step("true", asks=True))


def test_without_workers_the_run_ends(workers: Workers) -> None:
    for worker in workers._workers:
        worker.lose("test")
    with pytest.raises(FailedError, match="no worker is left"):
        WorkerHost(HERE, workers).session().begin()


def test_a_silent_worker_is_lost_within_its_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOST_AFTER", 0.5)
    monkeypatch.setattr(module, "BEAT_EVERY", 0.1)
    with local_workers(1, 4) as found:
        host = WorkerHost(HERE, found)
        host.session().begin()
        [worker] = found._workers
        process = int(worker.name.split()[1])
        os.kill(process, signal.SIGSTOP)
        began = time.monotonic()
        with pytest.raises(WorkerLostError, match="did not answer for"):
            host.session().run(Step("true"))
        assert time.monotonic() - began < 20
        os.kill(process, signal.SIGKILL)


class Other(Executor):
    """A worker with other code."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(Parcel.of(Introduction("elsewhere", 1, "3.11 0123456789ab")))
        return future


def test_a_worker_with_other_code_is_refused() -> None:
    with pytest.raises(InputError, match="runs another version of this toolkit"):
        introduced(Worker("tls://10.0.0.1:1", Other(), 4))


def test_any_executor_of_concurrent_futures_is_a_worker() -> None:
    with ThreadPoolExecutor(4) as threads, Workers([Worker("threads", threads, 3)]) as workers:
        host = WorkerHost(HERE, workers)
        assert host.session().run(Step("echo here")).output.strip() == "here"
        host.close()


def test_a_parcel_shows_nothing_of_what_is_in_it() -> None:
    login = Login("a", "192.0.2.1", become_password="canary", become_user="root")
    parcel = Parcel.of(Turn("key", login, Step("echo canary")))
    assert "canary" not in repr(parcel)
    assert b"canary" in pickle.dumps(parcel)


def test_a_failure_keeps_its_kind_and_its_parts() -> None:
    error = FailedError("what", host="h", role="r", line="l:1", found="f", do="d")
    again = Failure.of(error).error()
    assert (type(again), again.explanation) == (FailedError, error.explanation)


def test_a_desk_says_who_it_is() -> None:
    assert handle(Parcel.of(Introduce())).content.process == os.getpid()


def test_a_beat_is_answered_before_what_has_ended_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    closing, closed = threading.Event(), threading.Event()

    def close(host: RemoteHost) -> None:
        closing.wait(20)
        closed.set()

    desk = Desk()
    desk.turn(Turn("key", HERE, Step("true"), fresh=True))
    held = desk._held["key"].host
    monkeypatch.setattr(RemoteHost, "close", close)
    desk.beat(Beat(ended=("key",)))
    assert not closed.is_set()
    closing.set()
    assert closed.wait(20)
    monkeypatch.undo()
    held.close()


def test_hosts_that_are_done_end_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    over = threading.Event()
    desk = Desk()
    for key in ("one", "two"):
        desk.turn(Turn(key, HERE, Step("true"), fresh=True))
    held = [each.host for each in desk._held.values()]

    def close(host: RemoteHost) -> None:
        order.append("wait for its end")
        if order.count("wait for its end") == len(held):
            over.set()

    monkeypatch.setattr(RemoteHost, "end", lambda host: order.append("end"))
    monkeypatch.setattr(RemoteHost, "close", close)
    desk.beat(Beat(ended=("one", "two")))
    assert over.wait(20)
    assert order == ["end", "end", "wait for its end", "wait for its end"]
    monkeypatch.undo()
    for host in held:
        host.close()
