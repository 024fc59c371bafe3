"""A site without a project: what its hosts are is written in the test."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from provision.apply.site import Site
from provision.plan.plan import Declaration
from provision.playbook.health_check import HealthCheck
from provision.playbook.plays import Play
from provision.remote.login import Login


@dataclass(frozen=True)
class FixedSite(Site):
    """These plays on these hosts. groups: pattern -> hosts. check: of every play that drains."""

    plays: tuple[Play, ...]
    logins: tuple[Login, ...]
    groups: Mapping[str, tuple[str, ...]]
    declarations: Callable[[str], tuple[Declaration, ...]] = lambda host: ()
    check: HealthCheck | None = None

    def declared(self, host: str) -> tuple[Declaration, ...]:
        return self.declarations(host)

    def everything(self, host: str) -> tuple[Declaration, ...]:
        return self.declarations(host)

    def members(self, pattern: str) -> tuple[str, ...]:
        return self.groups[pattern]

    def login(self, host: str) -> Login:
        return next(login for login in self.logins if login.name == host)

    def health_check(self, play: Play) -> HealthCheck | None:
        return self.check if play.drain else None
