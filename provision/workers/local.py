"""Workers on this machine: processes, because one interpreter keeps no more than one core busy."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from provision.remote.pool import forks_for
from provision.workers.process import ProcessExecutor
from provision.workers.workers import Worker, Workers

SPARE_THREADS = 2  # for beats, however busy the hosts keep the others


@contextlib.contextmanager
def local_workers(count: int, hosts: int, forks: int = 0) -> Iterator[Workers]:
    """So many processes, which end with the block. forks: hosts that all of them together handle at a time."""
    places = -(-(forks or forks_for(hosts)) // count)
    executors = [ProcessExecutor(places + SPARE_THREADS) for _ in range(count)]
    try:
        workers = [Worker(f"process {each.pid}", each, places) for each in executors]
        with Workers(workers) as found:
            yield found
    finally:
        for executor in executors:
            executor.shutdown()
