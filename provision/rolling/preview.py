"""What a plan means beyond the hosts that change: who is taken out for it, and on which edges. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from provision.apply.events import RollingPlanned
from provision.apply.run import Work, pending
from provision.plan.plan import HostPlan, Item
from provision.resources import Action, Change, Program, Rollout


def rolling_plays(work: Work, plans: Mapping[str, HostPlan]) -> tuple[RollingPlanned, ...]:
    """For each play that takes nodes out, which ones, one after the other. plans: of the hosts that may change.

    Left out is a play that begins programs on all of its hosts: nothing is served there yet that could be hurt.
    """
    found = []
    for number, play in enumerate(work.plays):
        if play.drain and not work.force and (hosts := _out(work, number, plans)) and work.watch(play):
            edges = work.members(play.drain)
            found.append(RollingPlanned(play.name, hosts, edges, tuple(edge for edge in edges if edge not in plans)))
    return tuple(found)


def _out(work: Work, number: int, plans: Mapping[str, HostPlan]) -> tuple[str, ...]:
    play = work.plays[number]
    known = {name: plans[name].of_play(number) for name in work.members(play.hosts) if name in plans}
    busy = {name: items for name, items in known.items() if pending(items)}
    if play.serial:
        return () if all(map(begins, busy.values())) else tuple(busy)
    return tuple(dict.fromkeys(name for items in busy.values() for name in _moved(items)))


def begins(items: Iterable[Item]) -> bool:
    """Whether a program is started that did not run."""
    return any(isinstance(i.resource, Program) and i.action is Action.CREATE for i in items)


def _moved(items: Iterable[Item]) -> Iterable[str]:
    """The hosts whose pods may be replaced, as far as it is known now."""
    changing = {item.resource.key for item in items if isinstance(item.outcome, Change)}
    for item in items:
        rollout = item.resource
        if isinstance(rollout, Rollout) and {rollout.key, *(r.key for r in rollout.dependencies)} & changing:
            yield from (host for host, _ in rollout.nodes)
