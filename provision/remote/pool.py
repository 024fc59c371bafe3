"""Many hosts side by side: an error stays with its host."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from provision.errors import ProvisionError


class Cuttable(Protocol):
    """Whatever has a connection that can be ended at once."""

    def cut(self) -> None: ...


H = TypeVar("H", bound=Cuttable)
T = TypeVar("T")


@dataclass(frozen=True)
class HostResult(Generic[H, T]):
    """What came of the work on one host. value: what it returned, None when it raised `error`. seconds: it took."""

    host: H
    value: T | None
    error: ProvisionError | None
    seconds: float


FORKS_A_CORE = 16  # hosts mostly wait; more at once than this only queue for the cores, nearer to their deadlines
FORKS_LEAST = 20
WORKERS_FROM = 100  # hosts: with fewer, a process takes longer to start than it saves


def forks_for(hosts: int) -> int:
    """How many hosts at a time, where nobody says: by the cores of this machine, for so many hosts."""
    return max(1, min(hosts, max(FORKS_LEAST, FORKS_A_CORE * (os.cpu_count() or 1))))


def workers_for(hosts: int) -> int:
    """How many processes suit this machine for so many hosts; 1: none beside the controller."""
    return 1 if hosts < WORKERS_FROM else os.cpu_count() or 1


class HostPool:
    """Works on hosts, at most `forks` of them at a time; 0: as many as suit this machine."""

    def __init__(self, forks: int) -> None:
        self._forks = forks

    def for_each(self, hosts: Sequence[H], work: Callable[[H], T]) -> list[HostResult[H, T]]:
        """`work` for each of the hosts; the results in their order. A ProvisionError ends the work on its host only.

        Ctrl-C cuts the connections of all these hosts and is raised again.
        """

        def guarded(host: H) -> HostResult[H, T]:
            began = time.monotonic()
            try:
                return HostResult(host, work(host), None, time.monotonic() - began)
            except ProvisionError as error:
                return HostResult(host, None, error, time.monotonic() - began)

        with ThreadPoolExecutor(max(1, min(self._forks or forks_for(len(hosts)), len(hosts)))) as pool:
            try:
                return list(pool.map(guarded, hosts))
            except KeyboardInterrupt:
                pool.shutdown(wait=False, cancel_futures=True)
                for host in hosts:
                    host.cut()
                raise
