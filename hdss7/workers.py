"""`--workers` and `--scheduler`: who handles the hosts of a command."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from hdss7.options import Options
from provision.errors import InputError
from provision.remote.host import Reach, RemoteHost
from provision.remote.pool import workers_for


@dataclass(frozen=True)
class Handling:
    """How the hosts of a command are handled. forks: at a time, all workers together; 0: as suits this machine."""

    reach: Reach
    forks: int


@contextlib.contextmanager
def handling(options: Options, hosts: int) -> Iterator[Handling]:
    """By this process, by processes of this machine, or by a scheduler's workers, while the block lasts.

    hosts: how many there are. Raises InputError, or FailedError when a scheduler does not answer.
    """
    if options.scheduler and options.workers:
        raise InputError(
            "--scheduler and --workers exclude each other",
            do="A scheduler has workers of its own: leave --workers out",
        )
    count = options.workers or workers_for(hosts)
    if count == 1 and not options.scheduler:
        yield Handling(RemoteHost, options.forks)
        return
    from provision.workers.dask import dask_workers  # only here: what has three hosts does without
    from provision.workers.host import WorkerHost
    from provision.workers.local import local_workers

    found = dask_workers(options.scheduler) if options.scheduler else local_workers(count, hosts, options.forks)
    with found as workers:
        yield Handling(partial(WorkerHost, workers=workers), options.forks or workers.places)
