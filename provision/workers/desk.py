"""What a worker does: it holds connections to hosts, and takes the turns that the controller sends.

It decides nothing. Whether a step goes to a host, in which order and under which lock is the controller's decision; a
session that the controller has not named for ABANDONED_AFTER seconds is closed, as its controller is gone.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from dataclasses import dataclass, field
from functools import cache

from provision.errors import FailedError, ProvisionError
from provision.remote.host import RemoteHost
from provision.workers.build import build
from provision.workers.parcel import Beat, Failure, Introduce, Introduction, Parcel, Turn, Turned

ABANDONED_AFTER = 60.0
SWEEP_EVERY = 10.0
SWITCH_EVERY = 0.05  # seconds that a thread may compute before it has to give way to another


def handle(parcel: Parcel) -> Parcel:
    """The one function that a worker runs. Never raises for what happens on a host: engines log what a task raises."""
    request = parcel.content
    match request:
        case Turn():
            return Parcel.of(_desk().turn(request))
        case Beat():
            _desk().beat(request)
            return Parcel.of(None)
        case Introduce():
            return Parcel.of(Introduction(socket.gethostname(), os.getpid(), build()))
    raise TypeError(type(request).__name__)


@cache
def _desk() -> Desk:
    """The one of this process, which has several threads for each host that it handles.

    A thread that waits for the interpreter's lock wakes up once per switch interval, 5 ms by default. Measured on 2
    cores with 300 hosts: 133 waiting threads left so little of the processors that nobody was answered for 15 s.
    """
    sys.setswitchinterval(SWITCH_EVERY)
    return Desk()


@dataclass
class _Held:
    host: RemoteHost
    named: float = field(default_factory=time.monotonic)


class Desk:
    """The sessions of one process, by the keys that controllers gave them."""

    def __init__(self) -> None:
        self._held: dict[str, _Held] = {}
        self._lock = threading.Lock()
        self._sweeper: threading.Thread | None = None

    def turn(self, turn: Turn) -> Turned:
        """Runs a step on a host, over the session of that key; a fresh one is opened for it."""
        held = self._session_of(turn)
        if held is None:
            return Turned(gone=True)
        host = held.host
        try:
            session = host.session()
            if turn.idle_timeout is not None:
                session.set_idle_timeout(turn.idle_timeout)
            result = None
            if turn.step is None:
                session.begin()
            else:
                result = session.run(turn.step)
            return Turned(result, connections=host.connections, execs=host.execs)
        except ProvisionError as error:
            return Turned(failure=Failure.of(error), connections=host.connections, execs=host.execs)
        except Exception as error:
            found = FailedError(
                "the worker met something it was not made for",
                host=turn.login.name,
                found=f"{type(error).__name__} on {socket.gethostname()}",
                do="This is a fault of the toolkit, not yours; please report it",
            )
            return Turned(failure=Failure.of(found), connections=host.connections, execs=host.execs)

    def beat(self, beat: Beat) -> None:
        """Keeps the sessions that its controller names, and closes those that it does not need any more."""
        now = time.monotonic()
        with self._lock:
            for key in beat.kept:
                if key in self._held:
                    self._held[key].named = now
            due = [self._held[key].host for key in beat.due if key in self._held]
        for host in due:
            host.session().heartbeat()
        self._end(beat.ended, cut=beat.cut)

    def _session_of(self, turn: Turn) -> _Held | None:
        with self._lock:
            if turn.fresh:
                self._held[turn.key] = _Held(RemoteHost(turn.login))
                if self._sweeper is None:
                    self._sweeper = threading.Thread(target=self._sweep, daemon=True)
                    self._sweeper.start()
            return self._held.get(turn.key)

    def _end(self, keys: tuple[str, ...], *, cut: bool) -> None:
        with self._lock:
            ended = [self._held.pop(key).host for key in keys if key in self._held]
        if cut:
            for host in ended:
                host.cut()
                host.close()
        elif ended:  # in order, which takes a while: the beat has to be answered before
            threading.Thread(target=_close, args=(ended,), daemon=True).start()

    def _sweep(self) -> None:
        while True:
            time.sleep(SWEEP_EVERY)
            before = time.monotonic() - ABANDONED_AFTER
            with self._lock:
                abandoned = tuple(key for key, held in self._held.items() if held.named < before)
            self._end(abandoned, cut=True)


def _close(hosts: list[RemoteHost]) -> None:
    for host in hosts:
        host.end()  # so that all end meanwhile, and what is waited for is the slowest
    for host in hosts:
        host.close()
