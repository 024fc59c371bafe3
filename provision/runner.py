"""Many hosts: everyone is asked at once, then the plays run in order, their hosts side by side."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property, partial

from provision.apply.events import (
    HostKnown,
    Listener,
    PlayStarted,
    RollingFinished,
    RunEnded,
    RunStarted,
    Waiting,
    ignore,
)
from provision.apply.host import Interrupted, StaleError, apply, plan, pruned, reevaluate_unknown, require_fresh_plan
from provision.apply.pool import HostPool
from provision.apply.run import HostRun, Report, Work, ended, mark_not_done, mark_skipped, pending
from provision.errors import Exit, FailedError, ProvisionError
from provision.facts.gather import answer
from provision.history.journal import About, Journal
from provision.plan.plan import HostPlan, Item, compare, questions
from provision.playbook.plays import Play
from provision.remote.connection import Connection
from provision.remote.lock import Heartbeats, refuse, take_all
from provision.remote.login import Login
from provision.remote.protocol import Step, StepResult
from provision.resources.base import Unknown
from provision.rolling.coordinator import RollingPlay
from provision.rolling.preview import begins, rolling_plays
from provision.rolling.revert import revert


def run(work: Work, emit: Listener = ignore, stop: threading.Event | None = None) -> Report:
    """Plans every host, and unless `work.check` makes the plan true. Never raises for what a host does."""
    return Run(work, emit, stop or threading.Event()).all()


class Run:
    """One run over many hosts: what every step of it needs to know."""

    def __init__(self, work: Work, emit: Listener, stop: threading.Event) -> None:
        self.work = work
        self.emit = emit
        self.stop = stop
        self.hosts = {login.name: HostRun(login) for login in work.logins}
        self._edges_outside_limit: dict[str, HostRun] = {}
        self._pool = HostPool(work.forks, emit)
        self._beats = Heartbeats()
        self._held: set[str] = set()
        self._rolls: list[RollingFinished] = []

    def all(self) -> Report:
        """Everyone is asked; then, unless the run only looks, the plays, and the changed hosts once more."""
        hosts = tuple(self.hosts.values())
        self.emit(RunStarted(tuple(self.hosts), not self.work.check))
        try:
            self._pool.for_each(hosts, self._connect_and_plan)
            if not _refused(hosts):
                for roll in rolling_plays(self.work, {host.name: host.plan for host in hosts if host.plan}):
                    self.emit(roll)
                if not self.work.check:
                    with self._beats:
                        self._change(hosts)
            elif not self.work.check:
                mark_not_done(hosts)
        finally:
            for host in (*hosts, *self._edges_outside_limit.values()):
                _close(host)
        self.emit(RunEnded(self._pool.elapsed))
        return Report(hosts, ended(hosts, self.work.check, self.stop.is_set()), self._pool.elapsed, tuple(self._rolls))

    def _change(self, hosts: Sequence[HostRun]) -> None:
        """Makes the plans true, once every host that is about to change is ours and still as it was seen."""
        busy = [host for host in hosts if host.usable and host.plan and not host.plan.as_declared]
        ours = self._approved([host for host in hosts if host.usable]) and self.hold(busy)
        if ours:
            for number, play in enumerate(self.work.plays):
                self._play(number, play)
            self._resume(hosts)
            self._settled()
        if self.stop.is_set() or not ours:
            mark_not_done(hosts)

    def _approved(self, hosts: Sequence[HostRun]) -> bool:
        """Whether all of these plans are what was agreed to."""
        self._pool.for_each(hosts, lambda host: self.work.approve(host.plan) if host.plan else None)
        return all(host.usable for host in hosts)

    def hold(self, hosts: Sequence[HostRun]) -> bool:
        """Locks hosts for the rest of the run and makes sure of their plans. Whether all of them may be changed now."""
        mine = {host.name: host for host in hosts if host.session and host.name not in self._held}
        sessions = {name: host.session for name, host in mine.items() if host.session}
        for session in sessions.values():
            self._beats.add(session)
        held = take_all(
            sessions,
            self.work.holder,
            lambda work, names: self._pool.for_each([mine[name] for name in names], lambda host: work(host.name)),
            wait=self.work.wait,
            stop=self.stop,
            waiting=lambda host, who: self.emit(Waiting(host, who)),
        )
        self._held |= mine.keys() - held.keys()
        self._pool.for_each(
            [mine[name] for name in held], lambda host: refuse(host.name, held[host.name], self.work.wait)
        )
        if held or self.stop.is_set():
            return False
        self._pool.for_each([host for host in mine.values() if host.usable], self._make_sure)
        return not any(host.code is Exit.FAILED for host in mine.values())

    def _make_sure(self, host: HostRun) -> None:
        """A run that waits for another one plans after it; one that doesn't is told that the host has moved on."""
        assert host.session
        assert host.plan
        try:
            require_fresh_plan(host.session, host.plan)
        except StaleError:
            if not self.work.wait:
                raise
            self.work.approve(self._plan(host))

    def _connect_and_plan(self, host: HostRun) -> None:
        """Connects and plans. The host's shell starts while the roles are compiled."""
        if self.stop.is_set():
            return
        host.connection = Connection(host.login)
        host.session = host.connection.session()
        self._plan(host)

    def _plan(self, host: HostRun) -> HostPlan:
        assert host.session
        found = plan(host.session, host.name, self.work.declarations(host.name))
        if self.work.prune is not None:
            found = pruned(host.session, found, self.work.everywhere, len(self.work.plays) - 1, self.work.prune)
        host.plan = found
        self.emit(HostKnown(host.name, found, self._pool.elapsed))
        return found

    def _play(self, number: int, play: Play) -> None:
        """One play, in batches of `serial` hosts; a batch in which one failed ends it."""
        hosts = [self.hosts[name] for name in self.work.members(play.hosts) if name in self.hosts]
        busy = _busy(hosts, number)
        if not busy or self.stop.is_set():
            return
        careful = play.drain and not self.work.force and self.work.watch(play)
        if careful and play.serial and not (busy := self._known(busy, number)):
            return
        self.emit(PlayStarted(play.name, tuple(host.name for host in busy)))
        rolling: list[RollingPlay] = []
        if careful:
            # asked on the first host's account: an edge that can't drain keeps this play from being run
            self._pool.for_each(busy[:1], lambda _: rolling.extend(self._rolling(play)))
            if busy[0].error:
                mark_skipped(busy[1:], number)
                return
        if rolling:
            self._rolled(rolling[0], number, play, busy)
        else:
            # nobody is served that could be hurt: all at once where the play would go one by one
            # and members of a quorum that begin have to do it side by side
            once = play.drain or all(begins(host.plan.of_play(number)) for host in busy if host.plan)
            self._batches(number, play, busy, len(busy) if once else play.serial or len(busy))

    def _known(self, busy: Sequence[HostRun], number: int) -> list[HostRun]:
        """Those that really differ: nobody is taken out for what only could not be known when the plan was made.

        Nobody at all when one of them still can't be looked at.
        """
        self._pool.for_each(busy, lambda host: self._look_again(host, number))
        if any(host.error for host in busy):
            mark_skipped([host for host in busy if host.usable], number)
        return _busy(busy, number)

    def _look_again(self, host: HostRun, number: int) -> None:
        assert host.session
        assert host.plan
        items = pending(host.plan.of_play(number))
        if all(isinstance(item.outcome, Unknown) for item in items):
            now = {item.resource.key: item for item in reevaluate_unknown(host.session, items)}
            host.plan = replace(host.plan, items=tuple(now.get(i.resource.key, i) for i in host.plan.items))

    def _batches(self, number: int, play: Play, busy: Sequence[HostRun], size: int) -> None:
        for first in range(0, len(busy), size):
            batch = busy[first : first + size]
            self._pool.for_each(batch, lambda host: self.apply(host, number))
            if play.serial and any(host.error for host in batch):
                mark_skipped(busy[first + size :], number)
                return

    def _rolling(self, play: Play) -> list[RollingPlay]:
        """How this play is rolled; nothing when nobody is served yet. Raises FailedError when an edge can't drain."""
        assert play.drain
        edges = [self.hosts.get(name) or self._edge_outside_limit(name) for name in self.work.members(play.drain)]
        rolling = RollingPlay(self.work, self.emit, play, edges, self.stop)
        if not rolling.served:
            return []
        rolling.refuse_differences()
        if not self.hold(edges):
            why = next((str(edge.error) for edge in edges if edge.error), "")
            raise FailedError("no node can be taken out: the edge is not this run's to mark", found=why)
        return [rolling]

    def _resume(self, hosts: Sequence[HostRun]) -> None:
        """Puts back the nodes that a run which died has left drained."""
        edges = [host for host in hosts if host.usable and host.plan and host.plan.drained]
        play = next((play for play in self.work.plays if play.drain), None)
        if edges and play and not self.stop.is_set():
            self._pool.for_each(edges[:1], lambda _: RollingPlay(self.work, self.emit, play, edges).roll.resume())
            for host in edges:
                if host.usable and host.plan:
                    host.plan = replace(host.plan, drained=())

    def _edge_outside_limit(self, name: str) -> HostRun:
        """A host outside the limit that this run needs: it is asked, and marked, and otherwise left alone."""
        if name not in self._edges_outside_limit:
            self._edges_outside_limit[name] = HostRun(self.work.login(name))
            self._pool.for_each([self._edges_outside_limit[name]], self._connect_and_plan)
        return self._edges_outside_limit[name]

    def _rolled(self, rolling: RollingPlay, number: int, play: Play, busy: Sequence[HostRun]) -> None:
        """One node after the other, or one pod after the other; the first failure ends the play."""

        def undo(host: HostRun) -> str:
            return revert(host, number, self.emit)

        with rolling.prober() as prober:
            if play.serial:
                self._in_turn(busy, lambda: rolling.hosts(busy, lambda host: self.apply(host, number), undo, prober))
            else:
                self._pool.for_each(busy, lambda host: self.apply(host, number, rolling.mover(host, undo, prober)))
        self._rolls.append(RollingFinished(play.name, prober.receipt()))
        self.emit(self._rolls[-1])
        mark_skipped([host for host in busy if host.usable and number not in host.finished], number)

    def _in_turn(self, busy: Sequence[HostRun], roll: Callable[[], None]) -> None:
        """Rolls these hosts; the one at which it stops is the one that failed."""
        try:
            roll()
        except Interrupted:
            pass  # every host says what it did not get to
        except ProvisionError as error:
            self._pool.failed(self.hosts.get(error.explanation.host, busy[0]), error)
        finally:
            for host in busy:
                host.seconds = self._pool.elapsed

    def apply(self, host: HostRun, number: int, before: Callable[[Item], None] = lambda _: None) -> None:
        """What one play changes on one host."""
        assert host.session
        assert host.plan
        items, around = host.plan.of_play(number), self._journal(host)
        host.begun = host.journal.count if host.journal else 0
        fresh_connection = partial(_over_fresh_connection, host.login)
        for applied in apply(host.session, host.name, items, self.emit, self.stop, before, around, fresh_connection):
            host.applied.append(applied)
        host.finished.add(number)

    def _journal(self, host: HostRun) -> Callable[[Step, Item], Step]:
        """Every step of a change writes down, on the host, what stood there."""
        assert host.plan
        if host.journal is None:
            host.journal = Journal(self.work.holder, self._about, {made.key: made.flag for made in host.plan.managed})
        journal = host.journal
        return lambda step, item: journal.around(step, item, self.work.variables(host.name, item.declaration))

    @cached_property
    def _about(self) -> About:
        return self.work.about()

    def _settled(self) -> None:
        """Asks every changed host once more: a change that another change undid is a failure, not a second run."""
        changed = [host for host in self.hosts.values() if host.applied and host.usable]
        if changed and not self.stop.is_set():
            self._pool.for_each(changed, self._ask_again)

    def _ask_again(self, host: HostRun) -> None:
        assert host.session
        assert host.plan
        declarations = tuple(item.declaration for item in host.plan.items)
        left = pending(compare(declarations, answer(host.session, questions(declarations))))
        if left:
            raise FailedError(
                f"{left[0].resource.key} was as declared, and is not any more at the end of the run",
                role=left[0].declaration.role,
                line=left[0].declaration.line,
                found=left[0].summary,
                do="Something changed it meanwhile: a host that went away, somebody else, another change of this run. "
                "Run again; if it comes back, two declarations contradict each other",
            )
        if host.journal:
            host.session.run(host.journal.end())


def _over_fresh_connection(login: Login, step: Step) -> StepResult:
    """One step over a connection of its own: proof that the host can be reached anew, whatever the last change did."""
    connection = Connection(login)
    try:
        return connection.session().run(step)
    finally:
        connection.close()


def _busy(hosts: Sequence[HostRun], number: int) -> list[HostRun]:
    """Those of the hosts that have something to do in a play."""
    return [host for host in hosts if host.usable and host.plan and pending(host.plan.of_play(number))]


def _refused(hosts: Sequence[HostRun]) -> bool:
    """Bad input changes nothing: not on the hosts either where it happens to make sense."""
    return any(host.code is Exit.BAD_INPUT for host in hosts)


def _close(host: HostRun) -> None:
    if host.session:
        host.session.close()
    if host.connection:
        host.connection.close()
