"""Prune: what removes a resource from a host once no role declares it."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

from provision.resources.base import Resource


@dataclass(frozen=True, kw_only=True)
class Removable(Resource):
    """A resource that `deploy --prune` can remove."""

    @property
    @abstractmethod
    def removal(self) -> Resource | None:
        """The resource that removes this one; None when it leaves nothing behind, or is itself a removal."""


def removal_of(resource: Resource) -> Resource | None:
    """What removes any resource; None: it stays."""
    return resource.removal if isinstance(resource, Removable) else None
