"""What the engine asks of a project: the one interface between the two."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from provision.plan.plan import Declaration
from provision.playbook.health_check import HealthCheck
from provision.playbook.plays import Play
from provision.remote.login import Login


class Site(Protocol):
    """The hosts of one run and what they should be. A deploy and a rollback are two implementations.

    plays: in the order in which they run. logins: of the hosts of this run. complete: whether `declared` is all that a
    host should be; only then can something be called an orphan.
    Every method may raise InputError for what is wrong with the project.
    """

    plays: tuple[Play, ...]
    logins: tuple[Login, ...]
    complete: bool = False

    def declared(self, host: str) -> tuple[Declaration, ...]:
        """What this run makes of a host. Each host's thread asks when it needs it."""
        ...

    def prepare(self) -> bool:
        """Makes what roles need on the controller (keys, certificates), once no host refuses what is declared.

        Called before hosts change. Whether something was made: then `declared` is another one. Raises FailedError.
        """
        return False

    def everything(self, host: str) -> tuple[Declaration, ...]:
        """What is declared for any host of the inventory, also what --tags leave out."""
        ...

    def members(self, pattern: str) -> tuple[str, ...]:
        """The hosts that a pattern means, also outside --limit."""
        ...

    def edges(self, play: Play) -> tuple[str, ...]:
        """The hosts that the `drain` of a play means: they leave one of its hosts out while it changes."""
        return self.members(play.drain) if play.drain else ()

    def login(self, host: str) -> Login:
        """How any host of the inventory is reached."""
        ...

    def declared_anywhere(self) -> tuple[Declaration, ...]:
        """What is declared for all hosts of the inventory together."""
        return ()

    def health_check(self, play: Play) -> HealthCheck | None:
        """What has to go on answering while a play changes nodes. None: nothing is protected."""
        return None

    def gate(self, host: str, roles: Collection[str]) -> str:
        """What the gate checks of these roles find wrong on a host; '' when they pass."""
        return ""

    def variables(self, host: str, declaration: Declaration) -> tuple[str, ...]:
        """The variables that a resource depends on, each with the place where it is set."""
        return ()

    def commit(self) -> str:
        """The version of the inventory; asked only when there is a change. '' when it is not known."""
        return ""

    def notes(self) -> tuple[str, ...]:
        """What people have to know in time, though nothing differs today: printed at the end of every run."""
        return ()

    def explain(self, url: str) -> str:
        """Why a URL does not answer, for the error of a failed health check; '' when it is unknown."""
        return ""
