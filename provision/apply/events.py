"""What happens during a run, as values. The engine emits them and prints nothing; listeners write the output."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from provision.errors import Explanation
from provision.plan.plan import HostPlan, Item
from provision.traffic.receipt import Receipt


@dataclass(frozen=True)
class RunStarted:
    """A run begins. `changing`: whether it may change hosts (False for plan and --check)."""

    hosts: tuple[str, ...]
    changing: bool


@dataclass(frozen=True)
class HostKnown:
    """A host answered everything: here is its plan. `seconds` from the start of the run."""

    host: str
    plan: HostPlan
    seconds: float


@dataclass(frozen=True)
class RollingPlanned:
    """All plans are known: this play drains these hosts at the edges, one after the other, where the site is served.

    beyond: the edges that are not among the run's hosts; they are asked and drain nodes, and are otherwise left alone.
    """

    play: str
    hosts: tuple[str, ...]
    edges: tuple[str, ...]
    beyond: tuple[str, ...] = ()


@dataclass(frozen=True)
class Waiting:
    """Another run holds this host's lock; this run waits for it."""

    host: str
    who: str


@dataclass(frozen=True)
class PlayStarted:
    """A play begins on these hosts."""

    name: str
    hosts: tuple[str, ...]


@dataclass(frozen=True)
class ChangeStarted:
    """A step goes to a host. Between two of these a run can stop."""

    host: str
    item: Item


@dataclass(frozen=True)
class ChangeDone:
    """The host was changed and then read as declared."""

    host: str
    item: Item
    seconds: float


@dataclass(frozen=True)
class HostFailed:
    """A host can't go on. `skipped`: what was planned on it and was not done."""

    host: str
    error: Explanation
    unreachable: bool
    skipped: tuple[Item, ...] = ()


@dataclass(frozen=True)
class Drained:
    """A node was drained on every edge, and its connections have ended."""

    host: str
    run: str


@dataclass(frozen=True)
class PutBack:
    """A node takes requests again: it passed its gate, or is as it was before. seconds: how long it was drained."""

    host: str
    seconds: float


@dataclass(frozen=True)
class RevertStarted:
    """A node's change failed, or its gate did: what this play changed there is now reverted."""

    host: str


@dataclass(frozen=True)
class Reverted:
    """A node was reverted. changes: keys of what was changed for that; lasting: what stays as it is, and why."""

    host: str
    changes: tuple[str, ...]
    lasting: tuple[str, ...]


@dataclass(frozen=True)
class RollingFinished:
    """A rolling play is over, or was stopped; what clients saw meanwhile."""

    play: str
    receipt: Receipt


@dataclass(frozen=True)
class RunEnded:
    """The run is over."""

    seconds: float


Event = (
    RunStarted
    | HostKnown
    | RollingPlanned
    | Waiting
    | PlayStarted
    | ChangeStarted
    | ChangeDone
    | HostFailed
    | Drained
    | PutBack
    | RevertStarted
    | Reverted
    | RollingFinished
    | RunEnded
)
Listener = Callable[[Event], None]


def ignore(_: Event) -> None:
    """A listener that does nothing."""
