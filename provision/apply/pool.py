"""Works on the hosts of a run in parallel: each result is kept per host."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from provision.apply.changes import Interrupted
from provision.apply.events import HostFailed, Listener
from provision.apply.run import HostRun
from provision.apply.states import Planned
from provision.errors import ProvisionError, UnreachableError, WorkerLostError
from provision.remote.pool import HostPool

TRIES = 4  # workers that may be lost, one after the other, while they have the same host


class RunPool:
    """Works on the hosts of a run, at most `forks` of them at a time. emit gets each host that can't go on.

    recover: makes a host usable again whose worker was lost; what was to be done there is then done once more.
    """

    def __init__(self, forks: int, emit: Listener, recover: Callable[[HostRun], None]) -> None:
        self._pool = HostPool(forks)
        self._emit = emit
        self._recover = recover
        self._began = time.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self._began

    def for_each(self, hosts: Sequence[HostRun], work: Callable[[HostRun], None]) -> None:
        """`work` on all of these hosts. What it raises is that host's error; the others go on."""
        self._pool.for_each(hosts, lambda host: self._guarded(host, work))

    def for_each_planned(self, hosts: Sequence[HostRun], work: Callable[[HostRun, Planned], None]) -> None:
        """`work` on those of these hosts whose plan is known and that did not fail."""

        def planned(host: HostRun) -> None:
            if isinstance(host.state, Planned):
                work(host, host.state)

        self.for_each(hosts, planned)

    def attempt(self, host: HostRun, work: Callable[[HostRun], None]) -> None:
        """`work` on a host, whichever worker handles it. Raises ProvisionError."""
        for tried in range(TRIES):
            try:
                if tried:
                    self._recover(host)
                work(host)
            except WorkerLostError:
                if tried == TRIES - 1:
                    raise
            else:
                return

    def _guarded(self, host: HostRun, work: Callable[[HostRun], None]) -> None:
        try:
            self.attempt(host, work)
        except Interrupted:
            host.finish(complete=False)
        except ProvisionError as error:
            self.failed(host, error)
        finally:
            host.seconds = self.elapsed

    def failed(self, host: HostRun, error: ProvisionError) -> None:
        """Writes down why a host can't go on, and tells the listener."""
        host.fail(error)
        if host.error:
            self._emit(HostFailed(host.name, host.error, isinstance(error, UnreachableError), host.not_done))
