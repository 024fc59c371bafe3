"""Many hosts side by side: an error stays with its host."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

from provision.errors import ProvisionError


class Cuttable(Protocol):
    """Whatever has a connection that can be ended at once."""

    def cut(self) -> None: ...


H = TypeVar("H", bound=Cuttable)
T = TypeVar("T")


class HostPool:
    """Works on hosts, at most `forks` of them at a time."""

    def __init__(self, forks: int) -> None:
        self._forks = forks

    def for_each(self, hosts: Sequence[H], work: Callable[[H], T]) -> list[T | ProvisionError]:
        """For each host, in the order of `hosts`: what `work` returned, or the ProvisionError that it raised.

        Ctrl-C cuts the connections of all these hosts and is raised again.
        """

        def guarded(host: H) -> T | ProvisionError:
            try:
                return work(host)
            except ProvisionError as error:
                return error

        with ThreadPoolExecutor(max(1, min(self._forks, len(hosts)))) as pool:
            try:
                return list(pool.map(guarded, hosts))
            except KeyboardInterrupt:
                pool.shutdown(wait=False, cancel_futures=True)
                for host in hosts:
                    host.cut()
                raise
