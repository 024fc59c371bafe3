"""A host that a worker reaches: what RemoteHost is to a run, with the connection in another process."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from provision.errors import WorkerLostError
from provision.remote.connection import GRACE, Session
from provision.remote.host import RemoteHost
from provision.remote.login import Login
from provision.remote.protocol import Step, StepResult
from provision.workers.parcel import Turn, Turned
from provision.workers.workers import Worker, Workers

SPARE = 60.0  # seconds beyond a host's own deadlines within which its worker has to answer


class WorkerHost(RemoteHost):
    """A host and its session at a worker. After `close` the next `session` may be at another one."""

    def __init__(self, login: Login, workers: Workers) -> None:
        super().__init__(login)
        self._workers = workers
        self._keys = (f"{login.name}/{secrets.token_hex(6)}/{number}" for number in itertools.count())
        self._sessions: list[WorkerSession] = []

    @property
    def connections(self) -> int:
        return sum(session.connections for session in self._sessions)

    @property
    def execs(self) -> int:
        return sum(session.execs for session in self._sessions)

    @property
    def moved(self) -> tuple[str, ...]:
        """The workers that were lost while they had this host."""
        return tuple(name for session in self._sessions for name in session.lost)

    def session(self) -> WorkerSession:
        """The one exec of this host; it begins with the first step."""
        if not self._sessions or self._sessions[-1].closed:
            self._sessions.append(WorkerSession(self.login, self._workers, self._keys))
        return self._sessions[-1]

    def cut(self) -> None:
        self.close()

    def close(self) -> None:
        if self._sessions:
            self._sessions[-1].close()


class WorkerSession(Session):
    """A Session whose steps a worker runs. What only asks goes on at another worker when the first one is lost."""

    def __init__(self, login: Login, workers: Workers, keys: Iterator[str]) -> None:
        self.closed = False
        self.connections = self.execs = 0
        self.lost: list[str] = []
        self._login = login
        self._workers = workers
        self._keys = keys
        self._key = ""
        self._before = (0, 0)
        self._worker: Worker | None = None
        self._idle_timeout: float | None = None

    def begin(self) -> None:
        if self._worker is None:
            self._turn(None)

    def run(self, step: Step) -> StepResult:
        result = self._turn(step)
        assert result is not None
        return result

    def run_in_turn(self, *steps: Step) -> tuple[StepResult, ...]:
        return tuple(map(self.run, steps))

    def post(self, step: Step) -> None:
        self.run(step)

    def set_idle_timeout(self, seconds: float) -> None:
        self._idle_timeout = seconds

    def heartbeat(self) -> None:
        if self._worker:
            self._worker.due.add(self._key)

    def close(self) -> None:
        self.closed = True
        if self._worker:
            self._worker.kept.discard(self._key)
            self._worker.ended.add(self._key)

    def _turn(self, step: Step | None) -> StepResult | None:
        """A step that only asks may be run once more. Raises WorkerLostError for any other, and once a lock is held."""
        while True:
            at = self._worker
            try:
                with self._workers.place(at) as worker:
                    at = worker
                    answer = self._asked(worker, step)
                break
            except WorkerLostError as error:
                self.lost += [at.name] if at else []
                self._worker = None
                if self._idle_timeout is not None or not (step is None or step.asks):
                    self.closed = True
                    raise error.at(host=self._login.name) from None
        if answer.failure:
            raise answer.failure.error()
        return answer.result

    def _asked(self, worker: Worker, step: Step | None) -> Turned:
        fresh = self._worker is None
        if fresh:
            self._worker, self._key = worker, next(self._keys)
            self._before = (self.connections, self.execs)
            worker.kept.add(self._key)
        turn = Turn(self._key, self._login, _carried(step), self._idle_timeout, fresh)
        answer: Turned = worker.ask(turn, (step.timeout if step else 0) + 3 * self._login.timeout + 2 * GRACE + SPARE)
        if answer.gone:
            raise WorkerLostError.of(worker.name, "it has started anew meanwhile")
        connections, execs = self._before
        self.connections, self.execs = connections + answer.connections, execs + answer.execs
        return answer


def _carried(step: Step | None) -> Step | None:
    """The step with all that it needs: a worker may see no file of the controller's."""
    if step and isinstance(step.payload, Path):
        return replace(step, payload=step.payload.read_bytes())
    return step
