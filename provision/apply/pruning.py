"""What only --prune removes: listed in a plan, or among its changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from provision.apply.run import HostRun
from provision.apply.site import Site
from provision.errors import Exit
from provision.facts.gather import answer
from provision.history.prune import LINE, RemovalsQuestion, orphans, removals
from provision.plan.plan import Declaration, HostPlan, Item, compare, questions, seen
from provision.remote.connection import Session
from provision.resources.optional.prunable import Prunable


def pruned(session: Session, plan: HostPlan, site: Site, *, remove: bool) -> HostPlan:
    """The plan with what nothing declares. remove: it is among the changes, where it may be."""
    if not site.complete:
        return without_prunable(plan, remove=False)
    found = without_prunable(plan, remove=remove)
    return with_orphans(session, found, site.declared_anywhere, len(site.plays) - 1, remove=remove)


def with_orphans(
    session: Session,
    plan: HostPlan,
    declared_anywhere: Callable[[], Sequence[Declaration]],
    play: int,
    *,
    remove: bool,
) -> HostPlan:
    """The plan with what this toolkit made and no role declares any more: listed, or removed by play number `play`.

    declared_anywhere: what is declared for any host of the inventory.
    """
    declared = tuple(item.declaration for item in plan.items)
    gone = orphans(plan.managed, declared)
    if not gone:
        return plan
    recorded = answer(session, [RemovalsQuestion()])[RemovalsQuestion()]
    declarations = removals(gone, recorded, declared, declared_anywhere, play)
    answers = answer(session, questions(declarations))
    items = tuple(item for item in compare(declarations, answers) if not item.as_declared)
    if not remove:
        return replace(plan, orphans=(*plan.orphans, *items))
    return replace(plan, items=(*plan.items, *items), seen={**plan.seen, **seen(items, answers)})


def blocked(hosts: Iterable[HostRun], changing: Iterable[HostRun], play: int) -> bool:
    """Whether a play would only remove things, and a change failed on one of all hosts.

    What failed may still need them: a node whose pods could not be evicted.
    """
    failed = any(host.code is Exit.FAILED for host in hosts)
    return failed and all(map(_removal, (item for host in changing for item in host.pending(play))))


def _removal(item: Item) -> bool:
    return isinstance(item.resource, Prunable) or item.declaration.line == LINE


def without_prunable(plan: HostPlan, *, remove: bool) -> HostPlan:
    """The plan in which what only --prune changes is listed. remove: it is left among the changes, where it may be."""
    listed_only = tuple(
        item
        for item in plan.items
        if isinstance(item.resource, Prunable) and not (remove and item.resource.removable) and not item.as_declared
    )
    if not listed_only:
        return plan
    keys = {item.resource.key for item in listed_only}
    items = tuple(item for item in plan.items if item.resource.key not in keys)
    seen = {key: digest for key, digest in plan.seen.items() if key not in keys}
    return replace(plan, items=items, seen=seen, orphans=tuple(i for i in listed_only if i.action))
