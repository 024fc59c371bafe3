"""How far a run has come on a host. Each state holds what is known in it, and no more."""

from __future__ import annotations

from dataclasses import dataclass

from provision.errors import ProvisionError
from provision.plan.plan import HostPlan, Item
from provision.remote.connection import Session


@dataclass(frozen=True)
class Unreached:
    """The host was not asked."""


@dataclass(frozen=True)
class Connected:
    """The host can be asked; its plan is not known yet."""

    session: Session


@dataclass(frozen=True)
class Planned:
    """The host answered and may be changed."""

    session: Session
    plan: HostPlan


@dataclass(frozen=True)
class Skipped:
    """A failure on another host ended a play before this host's turn. not_done: what the play had for it."""

    session: Session
    not_done: tuple[Item, ...]


@dataclass(frozen=True)
class Done:
    """The run is over on the host. not_done: what of the plan the run did not get to."""

    session: Session
    plan: HostPlan
    not_done: tuple[Item, ...] = ()


Usable = Unreached | Connected | Planned | Skipped | Done


@dataclass(frozen=True)
class Failed:
    """The host can't go on. before: the state in which it failed. not_done: what of its plan is not done."""

    error: ProvisionError
    before: Usable
    not_done: tuple[Item, ...] = ()


State = Usable | Failed
