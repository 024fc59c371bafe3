"""The workers of a run: who handles which host, and who is lost.

A worker is an executor of concurrent.futures whose functions all run in one process. So a process of this machine is
one (process.py), and so is a worker of an engine over many machines (dask.py). It is lost when its engine says so, or
when it has not answered for LOST_AFTER seconds: its hosts go on with another one.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Executor, Future
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from provision.errors import FailedError, InputError, WorkerLostError
from provision.workers.build import build
from provision.workers.desk import handle
from provision.workers.parcel import Beat, Introduce, Introduction, Parcel, Request

BEAT_EVERY = 2.0
LOST_AFTER = 15.0  # half of what a host grants before it gives its lock up (provision.remote.lock.IDLE_TIMEOUT)
ENDING = 5.0
INTRODUCED_WITHIN = 30.0


@dataclass(eq=False)
class Worker:
    """One worker. places: hosts that it may handle at a time. present: whether its engine still knows it."""

    name: str
    executor: Executor
    places: int
    present: Callable[[], bool] = lambda: True
    lost: str = ""
    busy: int = 0
    kept: set[str] = field(default_factory=set)
    due: set[str] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)
    _waiting: set[Future[Any]] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _beat: tuple[Future[Any], float] | None = None

    def ask(self, request: Request, seconds: float) -> Any:
        """The worker's answer. Raises WorkerLostError when it is lost meanwhile, or does not answer in time."""
        answer = self.send(request)
        try:
            return answer.result(seconds)
        except TimeoutError:
            self.lose(f"it did not answer within {seconds:.0f} s")
            raise WorkerLostError.of(self.name, self.lost) from None

    def send(self, request: Request) -> Future[Any]:
        """The answer that will come, or a WorkerLostError."""
        answer: Future[Any] = Future()
        with self._lock:
            if self.lost:
                raise WorkerLostError.of(self.name, self.lost)
            self._waiting.add(answer)
        try:
            self.executor.submit(handle, Parcel.of(request)).add_done_callback(lambda done: self._arrived(answer, done))
        except Exception as error:  # whatever an engine raises that has ended
            self.lose(_said(error))
        return answer

    def _arrived(self, answer: Future[Any], done: Future[Parcel]) -> None:
        try:
            content = done.result().content
        except (Exception, CancelledError) as error:
            self.lose(_said(error))
            return
        with self._lock:
            mine = answer in self._waiting
            self._waiting.discard(answer)
        if mine:
            answer.set_result(content)

    def lose(self, why: str) -> None:
        """From now on nothing is asked of it, and what waits for it ends."""
        with self._lock:
            self.lost = self.lost or why
            waiting, self._waiting = self._waiting, set()
        for answer in waiting:
            answer.set_exception(WorkerLostError.of(self.name, self.lost))

    def watch(self) -> None:
        """Sends a beat, unless the last one is not answered yet; a worker that does not answer is lost."""
        if self.lost:
            return
        if not self.present():
            self.lose("its engine does not know it any more")
            return
        now = time.monotonic()
        if self._beat and not self._beat[0].done():
            if now - self._beat[1] > LOST_AFTER:
                self.lose(f"it did not answer for {LOST_AFTER:.0f} s")
            return
        with self._lock:
            due, self.due = self.due, set()
            ended, self.ended = self.ended, set()
        with contextlib.suppress(WorkerLostError):
            self._beat = self.send(Beat(tuple(self.kept), tuple(due), tuple(ended))), now


class Workers:
    """The workers of one run, watched while the block lasts. Raises InputError for one that runs other code."""

    def __init__(self, workers: Sequence[Worker], more: Callable[[], Sequence[Worker]] = lambda: ()) -> None:
        """more: the workers that have joined since, once one is lost."""
        self._workers = list(workers)
        self._more = more
        self._free = threading.Condition()
        self._over = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    @property
    def places(self) -> int:
        """Hosts that all of them may handle at a time."""
        return sum(worker.places for worker in self._workers)

    def __enter__(self) -> Workers:
        for worker in self._workers:
            introduced(worker)
        self._watcher.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._watcher.join()
        for worker in self._workers:
            with contextlib.suppress(Exception):
                worker.ask(Beat(ended=tuple(worker.kept | worker.ended), cut=True), ENDING)

    @contextlib.contextmanager
    def place(self, worker: Worker | None) -> Iterator[Worker]:
        """A place at this worker, or at the one that has most to spare; waits for it.

        Raises WorkerLostError when this one is lost, FailedError when all are.
        """
        with self._free:
            while not (chosen := self._with_place(worker)):
                self._free.wait()
            chosen.busy += 1
        try:
            yield chosen
        finally:
            with self._free:
                chosen.busy -= 1
                self._free.notify_all()

    def _with_place(self, worker: Worker | None) -> Worker | None:
        if worker and worker.lost:
            raise WorkerLostError.of(worker.name, worker.lost)
        meant = [worker] if worker else [each for each in self._workers if not each.lost] or self._joined()
        free = [each for each in meant if each.busy < each.places]
        return min(free, key=lambda each: (each.busy / each.places, len(each.kept)), default=None)

    def _joined(self) -> list[Worker]:
        lost = {worker.name for worker in self._workers}
        found = [worker for worker in self._more() if worker.name not in lost]
        self._workers += found
        if not found:
            raise FailedError(
                "no worker is left",
                found="; ".join(f"{worker.name}: {worker.lost}" for worker in self._workers[:3]),
                do="Start the scheduler and its workers again, then run the same command: it finds out what was done",
            )
        return found

    def _watch(self) -> None:
        while not self._over.wait(BEAT_EVERY):
            for worker in list(self._workers):
                worker.watch()
            with self._free:
                self._free.notify_all()


def introduced(worker: Worker) -> Introduction:
    """Who the worker is. Raises InputError for one that does not run the controller's own code."""
    try:
        found: Introduction = worker.ask(Introduce(), INTRODUCED_WITHIN)
    except WorkerLostError as error:
        raise InputError(
            f"the worker {worker.name} can't run this toolkit",
            found=error.explanation.found,
            do="Install the same version of hdss7 there as here, with the same Python",
        ) from None
    if found.build != build():
        raise InputError(
            f"the worker {worker.name} runs another version of this toolkit",
            found=f"{found.build} there, {build()} here",
            do="Install the same version of hdss7 there as here, with the same Python",
        )
    return found


def _said(error: BaseException) -> str:
    """What an engine says, without the arguments of a task that it may quote."""
    first, *_ = [*str(error).splitlines(), ""]
    return f"{type(error).__name__}: {first[:200]}".rstrip(": ")
