"""Prune: what removes a resource from a host once no role declares it."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

from provision.resources.base import Resource

PART = "#"  # between the key of a resource and the rest of that of its part


@dataclass(frozen=True, kw_only=True)
class Removable(Resource):
    """A resource that `deploy --prune` can remove."""

    @property
    @abstractmethod
    def removal(self) -> Resource | None:
        """The resource that removes this one; None when it leaves nothing behind, or is itself a removal."""

    @property
    def parts(self) -> tuple[Removable, ...]:
        """What it consists of, each with its key, PART and more: one that leaves it is removed by itself."""
        return ()


def removal_of(resource: Resource) -> Resource | None:
    """What removes any resource; None: it stays."""
    return resource.removal if isinstance(resource, Removable) else None


def parts_of(resource: Resource) -> tuple[Removable, ...]:
    """The parts of any resource."""
    return resource.parts if isinstance(resource, Removable) else ()
