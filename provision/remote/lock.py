"""One operator at a time: a lock on each host that is about to change, held as long as a process may write there.

The lock is the kernel's: an flock on the descriptor that the loader of the run's one exec holds open and that every
script it starts inherits (provision/remote/protocol.py). So a script that still writes still holds it, whatever
became of its connection or controller, and nothing has to be cleared up after a power cut. Between two steps the loader
expects a heartbeat; a controller that is killed, frozen or cut off loses the lock within IDLE_TIMEOUT seconds.
"""

from __future__ import annotations

import getpass
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import NoReturn

from provision.errors import FailedError
from provision.remote.connection import Session
from provision.remote.protocol import Step
from provision.remote.shell import Scripts

IDLE_TIMEOUT = 30.0  # seconds without a sign of life after which a host gives its lock up
HEARTBEAT_EVERY = 8.0
SLICE = 5  # seconds that one step waits for a lock: between two the run can be interrupted
HELD = 75  # flock's exit code when somebody else holds it

SCRIPTS = Scripts(__file__)


def user() -> str:
    """Who runs this: `alice@controller`; with sudo, who called it."""
    return f"{os.environ.get('SUDO_USER') or getpass.getuser()}@{socket.gethostname()}"


def run_id(now: datetime) -> str:
    """A name for a run that sorts by time and that no two runs share: `20260301T101500-0423f9a` (with milliseconds)."""
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%S}-{now.microsecond // 1000:03d}{secrets.token_hex(2)}"


@dataclass(frozen=True)
class Holder:
    """Who holds a lock: who (`alice@controller`), which run, since when."""

    who: str = field(default_factory=user)
    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    run: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "run", self.run or run_id(self.began))

    def __str__(self) -> str:
        return f"{self.who}, run {self.run}, since {self.began:%Y-%m-%d %H:%M:%S} UTC"


class LockedError(FailedError):
    """Another run holds a host's lock; nothing was changed; exit 1."""


def take(session: Session, holder: Holder, wait: int = 0, idle_timeout: float = IDLE_TIMEOUT) -> str:
    """Takes the host's lock for as long as the session lives. Returns '' or who holds it after `wait` seconds.

    From then on the session needs heartbeats (Heartbeats). Raises FailedError where no lock can be had at all.
    """
    session.set_idle_timeout(idle_timeout)
    script = SCRIPTS.call("take_lock", str(wait), str(holder))
    result = session.run(Step(script, timeout=wait + 20))
    if result.code == HELD:
        first, *_ = [*result.output.strip().splitlines(), "an unnamed run"]
        return first
    if result.code:
        raise FailedError(
            "could not take the host's lock",
            found=result.errors or f"flock ended with {result.code}",
            do="Look whether /run is writable and flock (util-linux) is installed",
        )
    return ""


class Heartbeats:
    """Signs of life for sessions, while the block lasts."""

    def __init__(self, every: float = HEARTBEAT_EVERY) -> None:
        self._every = every
        self._sessions: list[Session] = []
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Heartbeats:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()

    def add(self, session: Session) -> None:
        """Keeps this session alive from now on."""
        self._sessions.append(session)
        if self._thread is None:
            self._thread = threading.Thread(target=self._send_heartbeats, daemon=True)
            self._thread.start()

    def _send_heartbeats(self) -> None:
        while not self._over.wait(self._every):
            for session in tuple(self._sessions):
                session.heartbeat()


def take_all(
    sessions: Mapping[str, Session],
    holder: Holder,
    each: Callable[[Callable[[str], None], list[str]], object],
    *,
    wait: float = 0,
    stop: threading.Event | None = None,
    waiting: Callable[[str, str], None] = lambda host, who: None,
) -> dict[str, str]:
    """Locks these hosts. Returns who holds what could not be had: {} when all are ours.

    each(work, hosts): runs work for hosts side by side and keeps a host's error with that host. With `wait`, in
    seconds for all together, hosts are taken one by one in the order of their names, so that two runs that wait can
    never wait for each other; waiting(host, who) is called once for each host that is locked.
    """
    held: dict[str, str] = {}
    end = time.monotonic() + wait

    def once(name: str) -> None:
        held.pop(name, None)
        if who := take(sessions[name], holder, max(0, min(SLICE, round(end - time.monotonic())))):
            held[name] = who

    if not wait:
        each(once, list(sessions))
        return held
    for name in sorted(sessions):
        each(once, [name])
        if name in held:
            waiting(name, held[name])
        while name in held and time.monotonic() < end and not (stop and stop.is_set()):
            each(once, [name])
        if held:
            break
    return held


def refuse(host: str, who: str, waited: float) -> NoReturn:
    """Tells the operator who came second. Raises LockedError."""
    raise LockedError(
        "another run is changing this host: nothing was changed on any host",
        host=host,
        found=f"It is held by {who}" + (f"; this run waited {waited:.0f} s" if waited else ""),
        do="Wait for it with --wait SECONDS, or ask them",
    )
