"""Hosts that serve nobody now: what would go one host after the other for their sake goes at once."""

from __future__ import annotations

from collections.abc import Sequence

from provision.apply.pool import RunPool
from provision.apply.run import HostRun
from provision.apply.states import Planned
from provision.plan.plan import Item
from provision.remote.connection import Session
from provision.remote.protocol import Step
from provision.resources.base import Action
from provision.resources.supervisor import Program
from provision.rolling.preview import begins

SECONDS = 30.0


def all_idle(pool: RunPool, hosts: Sequence[HostRun], number: int) -> bool:
    """Whether none of these hosts serves anybody now with what a play changes. Asks until one does."""
    for host in hosts:
        found: list[bool] = []

        def ask(_: HostRun, planned: Planned, found: list[bool] = found) -> None:
            found.append(idle(planned.session, planned.plan.of_play(number)))

        pool.for_each_planned([host], ask)
        if found != [True]:
            return False
    return True


def down_first(hosts: Sequence[HostRun], number: int) -> list[HostRun]:
    """The hosts of a play, those first where a program is started: a quorum grows before it shrinks."""
    return sorted(hosts, key=lambda host: not (host.plan and begins(host.plan.of_play(number))))


def idle(session: Session, items: Sequence[Item]) -> bool:
    """Whether none of the programs that these items restart answers now; a program that is started never does.

    One exec, none where a program is started. False where the items restart no program.
    """
    restarted = [i.resource for i in items if isinstance(i.resource, Program) and i.action is Action.RESTART]
    if begins(items) or not restarted:
        return begins(items)
    asked = " || ".join(f"( {program.ready} ) >/dev/null 2>&1" for program in restarted)
    return session.run(Step(f"began=\n{asked}\n", timeout=SECONDS)).code != 0
