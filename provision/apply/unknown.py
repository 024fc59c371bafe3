"""Before a play drains nodes: what could not be known when the plan was made is asked again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from provision.apply.host import reevaluate_unknown
from provision.apply.pool import RunPool
from provision.apply.run import HostRun, changing_hosts, pending, skip
from provision.apply.states import Planned
from provision.resources.base import Unknown


def without_unknown(pool: RunPool, hosts: Sequence[HostRun], play: int) -> list[HostRun]:
    """Those that really differ: no node is drained for what only could not be known when the plan was made.

    None at all when one of them still can't be looked at.
    """

    def again(host: HostRun, planned: Planned) -> None:
        items = pending(planned.plan.of_play(play))
        if all(isinstance(item.outcome, Unknown) for item in items):
            now = {item.resource.key: item for item in reevaluate_unknown(planned.session, items)}
            known = tuple(now.get(item.resource.key, item) for item in planned.plan.items)
            host.state = Planned(planned.session, replace(planned.plan, items=known))

    pool.for_each_planned(hosts, again)
    if any(host.error for host in hosts):
        skip(hosts, play)
    return changing_hosts(hosts, play)
