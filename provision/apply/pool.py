"""Hosts side by side: whatever happens to one of them stays with it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from provision.apply.events import HostFailed, Listener
from provision.apply.host import Interrupted
from provision.apply.run import HostRun, not_done
from provision.errors import ProvisionError, UnreachableError


class HostPool:
    """Who works on hosts, at most `forks` of them at a time. emit hears of each host that can't go on."""

    def __init__(self, forks: int, emit: Listener) -> None:
        self._forks = forks
        self._emit = emit
        self._began = time.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self._began

    def for_each(self, hosts: Sequence[HostRun], work: Callable[[HostRun], None]) -> None:
        """`work` on all of these hosts. What it raises is that host's error; the others go on."""
        with ThreadPoolExecutor(max(1, min(self._forks, len(hosts)))) as pool:
            list(pool.map(lambda host: self._guarded(host, work), hosts))

    def _guarded(self, host: HostRun, work: Callable[[HostRun], None]) -> None:
        try:
            work(host)
        except Interrupted:
            host.skipped = not_done(host)
        except ProvisionError as error:
            self.failed(host, error)
        finally:
            host.seconds = self.elapsed

    def failed(self, host: HostRun, error: ProvisionError) -> None:
        """Writes down why a host can't go on, and what of it is left undone."""
        host.code = error.exit
        host.error = error.at(host=host.name).explanation
        host.skipped = not_done(host)
        self._emit(HostFailed(host.name, host.error, isinstance(error, UnreachableError), host.skipped))
