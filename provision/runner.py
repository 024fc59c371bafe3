"""Many hosts: all are asked at once, then the plays run in order, their hosts side by side."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property, partial

from provision.apply.changes import Interrupted, apply
from provision.apply.events import HostKnown, Listener, PlayStarted, RollingFinished, RunEnded, RunStarted, ignore
from provision.apply.host import plan, require_as_declared, require_fresh_plan
from provision.apply.locks import HostLocks
from provision.apply.options import RunOptions
from provision.apply.pool import RunPool
from provision.apply.pruning import blocked, pruned
from provision.apply.run import HostRun, Report, bad_input, changing_hosts, exit_code, skip
from provision.apply.site import Site
from provision.apply.states import Connected, Planned
from provision.apply.unknown import without_unknown
from provision.errors import Exit, FailedError, ProvisionError, UnreachableError
from provision.history.journal import About, Journal
from provision.plan import planfile
from provision.plan.plan import Item, StaleError
from provision.playbook.health_check import HealthCheck
from provision.playbook.plays import Play
from provision.playbook.serial import Share, batches
from provision.remote.connection import Session
from provision.remote.host import over_fresh_connection
from provision.remote.protocol import Step
from provision.rolling.coordinator import RollingPlay
from provision.rolling.idle import all_idle, down_first
from provision.rolling.preview import rolling_plays
from provision.rolling.revert import revert


def run(site: Site, options: RunOptions, emit: Listener = ignore, stop: threading.Event | None = None) -> Report:
    """Plans every host, and unless `options.check` applies the plans. Never raises for what a host does."""
    return Run(site, options, emit, stop or threading.Event()).all()


class Run:
    """One run over many hosts: what every step of it needs to know."""

    def __init__(self, site: Site, options: RunOptions, emit: Listener, stop: threading.Event) -> None:
        self.site = site
        self.options = options
        self.emit = emit
        self.stop = stop
        self.hosts = {login.name: HostRun(options.reach(login)) for login in site.logins}
        self._edges_outside_limit: dict[str, HostRun] = {}
        self._pool = RunPool(options.forks, emit, self._take_over)
        self._locks = HostLocks(options, self._pool, emit, stop)
        self._rolled: list[RollingFinished] = []

    def all(self) -> Report:
        """Plans every host; then, unless the run only checks, runs the plays and asks the changed hosts once more."""
        hosts = tuple(self.hosts.values())
        self.emit(RunStarted(tuple(self.hosts), not self.options.check))
        try:
            self._pool.for_each(hosts, self._connect_and_plan)
            refused = bad_input(hosts) or (not self.options.check and self._prepare(hosts))
            if not refused:
                plans = {host.name: host.plan for host in hosts if host.plan}
                for rolling in rolling_plays(self.site, plans, force=self.options.force):
                    self.emit(rolling)
            if not self.options.check:
                complete = not refused and self._change(hosts)
                for host in hosts:
                    host.finish(complete=complete)
        finally:
            every = (*hosts, *self._edges_outside_limit.values())
            for host in every:
                host.remote.end()
            for host in every:
                host.remote.close()
            self.emit(RunEnded(self._pool.elapsed))
        code = exit_code(hosts, self.options.check, self.stop.is_set())
        return Report(hosts, code, self._pool.elapsed, tuple(self._rolled))

    def _prepare(self, hosts: Sequence[HostRun]) -> bool:
        """Lets the project make keys and certificates; plans again with those. Whether the input is bad after all.

        Not before every host has taken what is declared: a refused deploy leaves the controller as it was, too.
        """
        if not self.stop.is_set() and any(host.usable for host in hosts) and self.site.prepare():
            self._pool.for_each_planned(hosts, self._plan_again)
        return bad_input(hosts)

    def _plan_again(self, host: HostRun, _: Planned) -> None:
        self._plan(host, host.remote.session())

    def _change(self, hosts: Sequence[HostRun]) -> bool:
        """Applies the plans, once every host that will change is locked and still as planned. Whether all plays ran."""
        usable = [host for host in hosts if host.usable]
        changing = [host for host in usable if host.plan and not host.plan.as_declared]
        with self._locks:
            if not self._agreed(usable) or not self.lock(changing):
                return False
            for number, play in enumerate(self.site.plays):
                self._play(number, play)
            self._resume(hosts)
            if not self.stop.is_set():
                changed = [host for host in hosts if host.applied]
                self._pool.for_each_planned(changed, self._check_again)
        return not self.stop.is_set()

    def _connect_and_plan(self, host: HostRun) -> None:
        """Connects and plans. The host's shell starts while the roles are compiled.

        A mistake in what is declared is the error also where the host can't be reached: it has to be corrected anyway.
        """
        if not self.stop.is_set():
            try:
                connected = Connected(host.remote.session())
            except UnreachableError:
                self.site.declared(host.name)
                raise
            host.state = connected
            plan = self._plan(host, connected.session).plan
            if self.options.check or (plan.as_declared and host.name not in self._draining):
                host.remote.close()  # in this host's own thread: the end of a run must not wait for a thousand

    @cached_property
    def _draining(self) -> frozenset[str]:
        """The hosts that are asked to leave others out, whether or not they change."""
        return frozenset(name for play in self.site.plays for name in self.site.edges(play))

    def _take_over(self, host: HostRun) -> None:
        """The worker of a host is lost: another one waits until nothing of this run is at work there, and asks anew."""
        host.remote.close()
        session = host.remote.session()
        self._locks.take_over(host, session)
        managed = self._plan(host, session).plan.managed
        if host.changes.journal:
            host.changes.journal = host.changes.journal.resumed({made.key: made.flag for made in managed})

    def _plan(self, host: HostRun, session: Session) -> Planned:
        found = plan(session, host.name, self.site.declared(host.name))
        found = pruned(session, found, self.site, remove=self.options.prune)
        planned = Planned(session, found)
        host.state = planned
        self.emit(HostKnown(host.name, found, self._pool.elapsed))
        return planned

    def _agreed(self, hosts: Sequence[HostRun]) -> bool:
        """Whether all of these plans are what was agreed to."""
        self._pool.for_each_planned(hosts, lambda _, planned: self._require_agreed(planned))
        return all(host.usable for host in hosts)

    def _require_agreed(self, planned: Planned) -> None:
        if self.options.agreed:
            planfile.check(self.options.agreed.hosts, planned.plan)

    def lock(self, hosts: Sequence[HostRun]) -> bool:
        """Locks hosts for the rest of the run and checks their plans again. Whether all of them may be changed now."""
        missing = self._locks.missing(hosts)
        if not self._locks.take(missing):
            return False
        self._pool.for_each_planned(missing, self._require_fresh_plan)
        return not any(host.code is Exit.FAILED for host in missing)

    def _require_fresh_plan(self, host: HostRun, planned: Planned) -> None:
        """A run that waited for another one plans again; one that did not fails when the host has changed."""
        try:
            require_fresh_plan(planned.session, planned.plan)
        except StaleError:
            if not self.options.wait:
                raise
            self._require_agreed(self._plan(host, planned.session))

    def _play(self, number: int, play: Play) -> None:
        """One play, in batches of `serial` hosts; one in which more failed than may ends it."""
        hosts = [self.hosts[name] for name in self.site.members(play.hosts) if name in self.hosts]
        changing = changing_hosts(hosts, number)
        if not changing or self.stop.is_set():
            return
        if blocked(self.hosts.values(), changing, number):
            skip(changing, number)
            return
        check = self.site.health_check(play) if play.drain and not self.options.force else None
        if check and play.serial and not (changing := without_unknown(self._pool, changing, number)):
            return
        self.emit(PlayStarted(play.name, tuple(host.name for host in changing)))
        rolling: list[RollingPlay] = []
        if check:
            # on the first host's account: an edge that can't drain keeps this play from being run
            self._pool.for_each(changing[:1], lambda _: rolling.extend(self._rolling(play, check)))
            if changing[0].error:
                skip(changing[1:], number)
                return
        if rolling:
            self._roll(rolling[0], number, play, changing)
        else:
            # nobody is served that could be hurt: all at once where the play would go one by one, and
            # members of a quorum that begin, or that none answers of, have to do it side by side
            in_turn = play.serial and not play.drain and not all_idle(self._pool, changing, number)
            self._batches(number, play, down_first(changing, number), play.serial if in_turn else ())

    def _batches(self, number: int, play: Play, hosts: Sequence[HostRun], serial: Sequence[Share]) -> None:
        for part in batches(serial, len(hosts)):
            batch = hosts[part]
            self._pool.for_each_planned(batch, lambda host, planned: self.apply(host, planned, number))
            failed = sum(bool(host.error) for host in batch)
            if play.serial and failed > play.hosts_may_fail.of(len(batch)):
                skip(hosts[part.stop :], number)
                return

    def _rolling(self, play: Play, check: HealthCheck) -> list[RollingPlay]:
        """How this play is rolled; [] when nothing is served yet. Raises FailedError when an edge can't drain."""
        edges = [self.hosts.get(name) or self._edge_outside_limit(name) for name in self.site.edges(play)]
        rolling = RollingPlay(self.site, self.options.holder.run, self.emit, play, check, edges, self.stop)
        if not rolling.served:
            return []
        rolling.refuse_differences()
        if not self.lock(edges):
            why = next((str(edge.error) for edge in edges if edge.error), "")
            raise FailedError("no node can be drained: the edge is not this run's to change", found=why)
        return [rolling]

    def _resume(self, hosts: Sequence[HostRun]) -> None:
        """Puts in what an interrupted run has left drained, and new nodes."""
        edges = [host for host in hosts if host.usable and host.leaves_out]
        if not edges or self.stop.is_set():
            return

        def put_back(_: HostRun) -> None:
            for play in {play.drain: play for play in self.site.plays if play.drain}.values():
                asked = [host for host in edges if host.name in self.site.edges(play)]
                check = self.site.health_check(play)
                if asked and check:
                    RollingPlay(self.site, self.options.holder.run, self.emit, play, check, asked).update.resume()

        def not_drained(host: HostRun, planned: Planned) -> None:
            host.state = Planned(planned.session, replace(planned.plan, drained=()))

        self._pool.for_each(edges[:1], put_back)
        self._pool.for_each_planned(edges, not_drained)

    def _edge_outside_limit(self, name: str) -> HostRun:
        """A host outside the limit that this run needs: it is asked and drains nodes, and is otherwise left alone."""
        if name not in self._edges_outside_limit:
            self._edges_outside_limit[name] = HostRun(self.options.reach(self.site.login(name)))
            self._pool.for_each([self._edges_outside_limit[name]], self._connect_and_plan)
        return self._edges_outside_limit[name]

    def _roll(self, rolling: RollingPlay, number: int, play: Play, hosts: Sequence[HostRun]) -> None:
        """One node after the other, or one pod after the other; the first failure ends the play."""

        def undo(host: HostRun, session: Session) -> str:
            return revert(host, session, number, self.emit)

        def change(host: HostRun, _: Planned) -> None:
            self._pool.attempt(host, apply_now)

        def apply_now(host: HostRun) -> None:
            assert isinstance(host.state, Planned)
            self.apply(host, host.state, number)

        def change_with_pods(host: HostRun, planned: Planned) -> None:
            self.apply(host, planned, number, rolling.pod_mover(host, planned.session, undo, prober))

        with rolling.prober() as prober:
            if play.serial:
                self._in_turn(hosts, lambda: rolling.hosts(hosts, change, undo, prober))
            else:
                self._pool.for_each_planned(hosts, change_with_pods)
        self._rolled.append(RollingFinished(play.name, prober.receipt()))
        self.emit(self._rolled[-1])
        skip([host for host in hosts if number not in host.changes.finished], number)

    def _in_turn(self, hosts: Sequence[HostRun], roll: Callable[[], None]) -> None:
        """Rolls these hosts; the one at which it stops is the one that failed."""
        try:
            roll()
        except Interrupted:
            pass  # every host reports what is not done
        except ProvisionError as error:
            self._pool.failed(self.hosts.get(error.explanation.host, hosts[0]), error)
        finally:
            for host in hosts:
                host.seconds = self._pool.elapsed

    def apply(
        self, host: HostRun, planned: Planned, number: int, before: Callable[[Item], None] = lambda _: None
    ) -> None:
        """What one play changes on one host."""
        changes = host.changes
        journal = changes.journal = changes.journal or self._journal(planned)
        changes.begun = journal.count

        def recorded(step: Step, item: Item) -> Step:
            return journal.around(step, item, self.site.variables(host.name, item.declaration))

        fresh_connection = partial(over_fresh_connection, host.remote.login, reach=self.options.reach)
        items = planned.plan.of_play(number)
        for applied in apply(
            planned.session, host.name, items, self.emit, self.stop, before, recorded, fresh_connection
        ):
            changes.applied.append(applied)
        changes.finished.add(number)

    def _journal(self, planned: Planned) -> Journal:
        return Journal(self.options.holder, self._about, {made.key: made.flag for made in planned.plan.managed})

    @cached_property
    def _about(self) -> About:
        return About(self.options.command, self.site.commit(), self.options.rollback_of)

    @staticmethod
    def _check_again(host: HostRun, planned: Planned) -> None:
        """A change that another change of this run has undone is a failure, and no reason for a second run."""
        require_as_declared(planned.session, planned.plan)
        if host.changes.journal:
            planned.session.post(host.changes.journal.end())
