"""How a run is undone: its journal on a host, turned into declarations of what was there before it.

From there on a rollback is a deploy like any other: planned, shown, rolled where its play is rolled, read back, and
written down in a journal of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from provision.history.journal import Entry, Written
from provision.history.serialize import revive
from provision.plan.plan import Declaration
from provision.resources import Program, Service
from provision.resources.base import Rendering, Resource
from provision.resources.optional.reversible import Reversible, roll_back


@dataclass(frozen=True)
class RollbackPlan:
    """What undoes a run on one host. lasting: what of it stays as it is, and why."""

    declarations: tuple[Declaration, ...]
    lasting: tuple[str, ...]


def rollback_plan(written: Written, play_of: Callable[[str], int], after: int = 0) -> RollbackPlan:
    """The declarations that undo a run. play_of: the number of the play that a role is in.

    after: only what was done after the entry of this number. What the run reverted itself is left out.
    """
    restored: dict[str, tuple[Resource, ...]] = {}
    origin: dict[str, Entry] = {}
    lasting: list[str] = []
    for entry in written.entries:
        if entry.key in restored or entry.number <= after or entry.undoes:
            continue  # what was there before the run is what was there before its first change
        resources, why = _before(entry, restored)
        restored[entry.key] = resources
        origin[entry.key] = entry
        if why:
            lasting.append(why)
    rendering = Rendering(lambda template: "")
    declared: dict[str, Declaration] = {}
    for key, resources in restored.items():
        for (
            resource
        ) in resources:  # of two entries that restore the same, the first knows what was there before the run
            entry = origin[key]
            made = Declaration(resource.rendered(rendering), entry.role, entry.line, play_of(entry.role))
            declared.setdefault(resource.key, made)
    declarations = list(declared.values())
    ends = [d for d in declarations if _ends(d.resource)]
    others = [d for d in declarations if not _ends(d.resource)]
    # what was started last is stopped first, and before the files go that it runs from
    return RollbackPlan((*reversed(ends), *others), tuple(lasting))


def _before(entry: Entry, restored: dict[str, tuple[Resource, ...]]) -> tuple[tuple[Resource, ...], str]:
    """What was there before one change, and why not all of it can be had again."""
    if entry.secret:
        return (), f"{entry.key}: it holds a secret, and secrets are not recorded"

    def find(key: str) -> Resource | None:
        return next(iter(restored.get(key, ())), None)

    try:
        resource = revive(entry.resource, find)
        if isinstance(resource, Reversible) and resource.reverts_to_declaration and entry.before:
            resource = revive(entry.before, find)
        rollback = roll_back(resource, entry.action, entry.snapshot)
    except ValueError as error:
        return (), f"{entry.key}: {error}"
    return rollback.resources, rollback.why


def _ends(resource: Resource) -> bool:
    stopped = isinstance(resource, Service) and not resource.running
    return stopped or (isinstance(resource, Program) and resource.absent)
