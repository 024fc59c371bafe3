"""Which nodes a plan will drain, and on which edges. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from provision.apply.events import RollingPlanned
from provision.apply.run import pending
from provision.apply.site import Site
from provision.plan.plan import HostPlan, Item
from provision.resources import Action, Change, Program, Rollout
from provision.resources.configset.drain import NOT_IN_USE, Drainer


def rolling_plays(site: Site, plans: Mapping[str, HostPlan], *, force: bool = False) -> tuple[RollingPlanned, ...]:
    """For each play that drains nodes, which ones, one after the other.

    plans: of the hosts that may change. force: nodes change without being drained.
    A play that starts programs on all of its hosts is not among them: nothing is served there yet.
    """
    if force:
        return ()
    found = []
    for number, play in enumerate(site.plays):
        if play.drain and (nodes := _drained(site, number, plans)) and site.health_check(play):
            edges = site.edges(play)
            found.append(RollingPlanned(play.name, nodes, edges, tuple(edge for edge in edges if edge not in plans)))
    return tuple(found)


def _drained(site: Site, number: int, plans: Mapping[str, HostPlan]) -> tuple[str, ...]:
    play = site.plays[number]
    if any(
        map(
            _not_in_use, (item for plan in plans.values() for item in plan.items if item.declaration.role == play.drain)
        )
    ):
        return ()
    items = {name: plans[name].of_play(number) for name in site.members(play.hosts) if name in plans}
    changing = {name: found for name, found in items.items() if pending(found)}
    if play.serial:
        return () if all(map(begins, changing.values())) else tuple(changing)
    return tuple(dict.fromkeys(name for found in changing.values() for name in _nodes_of_pods(found)))


def begins(items: Iterable[Item]) -> bool:
    """Whether a program is started that did not run."""
    return any(isinstance(i.resource, Program) and i.action is Action.CREATE for i in items)


def _not_in_use(item: Item) -> bool:
    """Whether nothing goes yet through what would be drained."""
    outcome = item.outcome
    return isinstance(item.resource, Drainer) and isinstance(outcome, Change) and outcome.parts == NOT_IN_USE


def _nodes_of_pods(items: Iterable[Item]) -> Iterable[str]:
    """The hosts whose pods may be replaced, as far as is known now."""
    changing = {item.resource.key for item in items if isinstance(item.outcome, Change)}
    for item in items:
        rollout = item.resource
        if isinstance(rollout, Rollout) and {rollout.key, *(r.key for r in rollout.dependencies)} & changing:
            yield from (host for host, _ in rollout.nodes)
