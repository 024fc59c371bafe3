"""The locks of a run: on every host that is about to change, from before the first change to the end of the run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from types import TracebackType

from provision.apply.events import Listener, Waiting
from provision.apply.options import RunOptions
from provision.apply.pool import RunPool
from provision.apply.run import HostRun
from provision.remote.connection import Session
from provision.remote.lock import IDLE_TIMEOUT, Heartbeats, refuse, take_all


class HostLocks:
    """Takes the locks of hosts and keeps them alive while the block lasts."""

    def __init__(self, options: RunOptions, pool: RunPool, emit: Listener, stop: threading.Event) -> None:
        self._options = options
        self._pool = pool
        self._emit = emit
        self._stop = stop
        self._heartbeats = Heartbeats()
        self._locked: set[str] = set()

    def __enter__(self) -> HostLocks:
        self._heartbeats.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._heartbeats.__exit__(kind, error, trace)

    def missing(self, hosts: Sequence[HostRun]) -> list[HostRun]:
        """Those of the hosts that are connected and not locked by this run yet."""
        return [host for host in hosts if host.session and host.name not in self._locked]

    def take_over(self, host: HostRun, session: Session) -> None:
        """Locks a host that this run had locked over another session, once what still runs there has ended.

        Raises LockedError when it has not within two idle timeouts, or another run was first.
        """
        if host.name not in self._locked:
            return
        wait = 2 * IDLE_TIMEOUT
        self._heartbeats.add(session)
        held = take_all(
            {host.name: session},
            self._options.holder,
            _one_by_one,
            wait=wait,
            stop=self._stop,
        )
        if held:
            refuse(host.name, held[host.name], wait)

    def take(self, hosts: Sequence[HostRun]) -> bool:
        """Locks these hosts. Whether all of them could be locked; a host that another run holds fails."""
        by_name = {host.name: host for host in hosts}
        sessions = {host.name: host.session for host in hosts if host.session}
        for session in sessions.values():
            self._heartbeats.add(session)
        held = take_all(
            sessions,
            self._options.holder,
            lambda work, names: self._pool.for_each([by_name[name] for name in names], lambda host: work(host.name)),
            wait=self._options.wait,
            stop=self._stop,
            waiting=lambda host, who: self._emit(Waiting(host, who)),
        )
        self._locked |= sessions.keys() - held.keys()
        refused = [by_name[name] for name in held]
        self._pool.for_each(refused, lambda host: refuse(host.name, held[host.name], self._options.wait))
        return not held and not self._stop.is_set()


def _one_by_one(work: Callable[[str], None], hosts: list[str]) -> None:
    for host in hosts:
        work(host)
