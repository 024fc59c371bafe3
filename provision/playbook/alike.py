"""A role that asks nothing of its host declares the same for all hosts with the same settings: it is compiled once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from provision.inventory.model import Host
from provision.secret import secrets_in

if TYPE_CHECKING:
    from provision.plan.plan import Declaration
    from provision.playbook.plays import RoleUse

VARIANTS = 8  # of one role's settings that are remembered; more are compiled again
_EVERYBODYS = frozenset(("inventory", "group", "__class__"))  # what is the same whichever host is asked


class WatchedHost(Host):
    """A host that notes whether anything of it was asked that another host would answer differently."""

    __slots__ = ("asked",)
    asked: list[str]

    @staticmethod
    def of(host: Host) -> WatchedHost:
        """The same host; what it has evaluated already is not evaluated again."""
        watched = object.__new__(WatchedHost)
        object.__setattr__(watched, "__dict__", host.__dict__)
        object.__setattr__(watched, "asked", [])
        return watched

    def __getattribute__(self, name: str) -> Any:
        if name not in _EVERYBODYS and name != "asked":
            object.__getattribute__(self, "asked").append(name)
        return object.__getattribute__(self, name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Host) and self.name == other.name

    def __hash__(self) -> int:
        return hash((self.name,))  # as the host's own


@dataclass
class Alike:
    """What roles declared, by role, play and settings. Nothing that was made with a secret."""

    _found: dict[tuple[RoleUse, int, frozenset[str]], list[tuple[Any, Any, tuple[Declaration, ...]]]] = field(
        default_factory=dict
    )

    def known(
        self, use: RoleUse, play: int, tags: frozenset[str], site: Any, settings: Any
    ) -> tuple[Declaration, ...] | None:
        """What the same use of the role declared for a host with equal settings; None when that is not known."""
        known = self._found.get((use, play, tags), ())
        if not known or _secret(site, settings):  # a secret is equal to the same text that is none
            return None
        return next((made for its_site, its, made in known if its == settings and its_site == site), None)

    def keep(
        self,
        use: RoleUse,
        play: int,
        tags: frozenset[str],
        site: Any,
        settings: Any,
        made: Iterable[Declaration],
    ) -> None:
        """Remembers what was declared."""
        if not _secret(site, settings):
            known = self._found.setdefault((use, play, tags), [])
            known.append((site, settings, tuple(made)))
            del known[:-VARIANTS]

    def forget(self) -> None:
        """What roles have made on the controller meanwhile may change all of it."""
        self._found.clear()


def _secret(site: Any, settings: Any) -> bool:
    return any(True for _ in secrets_in([site, settings], structs=True))
