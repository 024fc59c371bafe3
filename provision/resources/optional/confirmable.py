"""Confirmation: a change that the host reverts by itself unless the controller can still reach it."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

from provision.remote.protocol import Step
from provision.resources.base import Change, Resource


@dataclass(frozen=True, kw_only=True)
class Confirmable(Resource):
    """A resource whose change could cut the controller off, so the host reverts it unless it is confirmed."""

    @abstractmethod
    def confirm_step(self, change: Change) -> Step | None:
        """The step that confirms the change, run over a new connection. None: this change needs no confirmation."""


def confirm_step(resource: Resource, change: Change) -> Step | None:
    """The step that confirms a change of any resource."""
    return resource.confirm_step(change) if isinstance(resource, Confirmable) else None
