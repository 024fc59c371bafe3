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


def handled_here(options: Options, hosts: int) -> bool:
    """Whether this process handles so many hosts itself."""
    return not options.scheduler and _processes(options, hosts) == 1


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
    if handled_here(options, hosts):
        yield Handling(RemoteHost, options.forks)
        return
    from provision.workers.dask import dask_workers  # only here: what has three hosts does without
    from provision.workers.host import WorkerHost
    from provision.workers.local import local_workers

    if options.scheduler:
        found = dask_workers(options.scheduler)
    else:
        found = local_workers(_processes(options, hosts), hosts, options.forks)
    with found as workers:
        yield Handling(partial(WorkerHost, workers=workers), options.forks or workers.places)


def _processes(options: Options, hosts: int) -> int:
    return options.workers or workers_for(hosts)
