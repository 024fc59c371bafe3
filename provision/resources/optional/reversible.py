"""Rollback: what a host records before a change, and how that becomes the resource of before."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from provision.remote.shell import quote
from provision.resources.base import Action, Change, Resource

SNAPSHOT_LIMIT = 262_144  # bytes that a host stores of what was there before one change
IRREVERSIBLE = "cannot be undone"


@dataclass(frozen=True)
class Rollback:
    """What undoes a change: resources as they were before. why: which part of it, or all, cannot be undone, and why."""

    resources: tuple[Resource, ...] = ()
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Reversible(Resource):
    """A resource whose changes can be undone by `invoke rollback`.

    reverts_to_declaration: a change is undone by the previous declaration, where the host knows it, not by this one:
    for what no snapshot tells, such as how a program is started and when it is ready.
    """

    reverts_to_declaration: ClassVar[bool] = False

    @property
    @abstractmethod
    def rollback_summary(self) -> str:
        """How a change is undone, as `plan --verbose` prints it."""

    def snapshot_script(self, change: Change) -> str:
        """sh that prints what `rollback` needs, run before the fix; the host stores SNAPSHOT_LIMIT bytes of it.

        '' where nothing is needed.
        """
        return ""

    @property
    def snapshot_of(self) -> str:
        """The path without which `snapshot_script` prints nothing, so that it need not run; '': it always runs."""
        return ""

    @abstractmethod
    def rollback(self, action: Action, snapshot: bytes) -> Rollback:
        """What undoes a change. action: that of the Change; snapshot: what `snapshot_script` printed."""


def rollback_summary(resource: Resource) -> str:
    """How a change of any resource is undone."""
    return resource.rollback_summary if isinstance(resource, Reversible) else IRREVERSIBLE


def roll_back(resource: Resource, action: Action, snapshot: bytes) -> Rollback:
    """What undoes a change of any resource. Raises ValueError for a snapshot that it cannot read."""
    if isinstance(resource, Reversible):
        return resource.rollback(action, snapshot)
    return Rollback(why=f"{resource.key}: {IRREVERSIBLE}")


@dataclass(frozen=True)
class PriorEntry:
    """What was at a path before a change: a line of `PriorEntry.script`, then the content."""

    kind: str
    mode: str
    owner: str
    group: str
    size: int
    target: str
    content: bytes

    @staticmethod
    def script(path: str) -> str:
        """sh that prints one line about what stands at `path`, none when nothing does."""
        return f"find {quote(path)} -maxdepth 0 -printf '%y\\t%m\\t%u\\t%g\\t%s\\t%l\\n' 2>/dev/null"

    @staticmethod
    def read(snapshot: bytes) -> PriorEntry | None:
        """None when nothing was there."""
        line, _, content = snapshot.partition(b"\n")
        parts = line.decode("utf-8", "surrogateescape").split("\t")
        if len(parts) != 6:
            return None
        kind, mode, owner, group, size, target = parts
        return PriorEntry(kind, mode.zfill(4), owner, group, int(size), target, content)
