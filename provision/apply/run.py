"""One host in a run, and the report of a run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from provision.apply.changes import Applied
from provision.apply.events import RollingFinished
from provision.apply.states import Done, Failed, Planned, Skipped, State, Unreached
from provision.errors import Exit, Explanation, ProvisionError, worst
from provision.history.journal import Journal
from provision.plan.plan import HostPlan, Item
from provision.remote.connection import Session
from provision.remote.host import RemoteHost
from provision.resources.base import Change


@dataclass
class Changes:
    """What a run changed on one host.

    reverted: what took a play's changes back. begun: entries of the journal before the present play.
    finished: numbers of the plays that are complete here.
    """

    journal: Journal | None = None
    applied: list[Applied] = field(default_factory=list)
    reverted: list[Applied] = field(default_factory=list)
    begun: int = 0
    finished: set[int] = field(default_factory=set)


@dataclass
class HostRun:
    """One host in a run. seconds: from the start of the run until the host was last worked on."""

    remote: RemoteHost
    state: State = field(default_factory=Unreached)
    changes: Changes = field(default_factory=Changes)
    seconds: float = 0.0

    @property
    def name(self) -> str:
        """The host's name in the inventory."""
        return self.remote.name

    @property
    def status(self) -> str:
        """ok, changed, would_change, failed, unreachable or skipped, as --json says it."""
        if isinstance(self.state, Failed):
            return "unreachable" if self.code is Exit.UNREACHABLE else "failed"
        if self.applied:
            return "changed"
        if self.plan is None or self.not_done:
            return "skipped"
        return "ok" if self.plan.as_declared else "would_change"

    @property
    def plan(self) -> HostPlan | None:
        """Its plan, where it is known and was not given up."""
        state = self.state.before if isinstance(self.state, Failed) else self.state
        return state.plan if isinstance(state, (Planned, Done)) else None

    @property
    def session(self) -> Session | None:
        """Its exec, also after it failed; None for a host that was not reached."""
        state = self.state.before if isinstance(self.state, Failed) else self.state
        return None if isinstance(state, Unreached) else state.session

    @property
    def error(self) -> Explanation | None:
        """Why it can't go on."""
        return self.state.error.explanation if isinstance(self.state, Failed) else None

    @property
    def code(self) -> Exit:
        """The exit code that its error asks for."""
        return self.state.error.exit if isinstance(self.state, Failed) else Exit.OK

    @property
    def not_done(self) -> tuple[Item, ...]:
        """What was planned and is not done, once the run is over here."""
        return self.state.not_done if isinstance(self.state, (Done, Skipped, Failed)) else ()

    @property
    def applied(self) -> list[Applied]:
        """The changes that were made and stand."""
        return self.changes.applied

    @property
    def usable(self) -> bool:
        """Whether its plan is known and nothing went wrong on it."""
        return isinstance(self.state, Planned)

    @property
    def leaves_out(self) -> bool:
        """Whether it left hosts out when it was asked, or does since a change of this run."""
        made = (applied.item.outcome for applied in self.applied)
        before = bool(self.plan and self.plan.drained)
        return before or any(isinstance(change, Change) and bool(change.drained) for change in made)

    def pending(self, play: int) -> tuple[Item, ...]:
        """What one play still has to do here."""
        return pending(self.state.plan.of_play(play)) if isinstance(self.state, Planned) else ()

    def fail(self, error: ProvisionError) -> None:
        """From now on the host can't go on."""
        before = self.state.before if isinstance(self.state, Failed) else self.state
        self.state = Failed(error.at(host=self.name), before, self._remaining())

    def skip(self, play: int) -> None:
        """Gives its plan up: a failure elsewhere ended this play."""
        if isinstance(self.state, Planned):
            self.state = Skipped(self.state.session, self.pending(play))

    def finish(self, *, complete: bool) -> None:
        """The run is over here. complete: every play ran."""
        if isinstance(self.state, Planned):
            self.state = Done(self.state.session, self.state.plan, () if complete else self._remaining())

    def cut(self) -> None:
        """Ends its connection at once."""
        self.remote.cut()

    def _remaining(self) -> tuple[Item, ...]:
        """What was planned and not done: nothing of a finished play, nothing before the last change that was made."""
        items = pending(self.plan.items if self.plan else ())
        done = {applied.item.resource.key for applied in self.applied}
        reached = max((place for place, item in enumerate(items, 1) if item.resource.key in done), default=0)
        return tuple(item for item in items[reached:] if item.declaration.play not in self.changes.finished)


@dataclass(frozen=True)
class Report:
    """How a run went. rolled: what clients saw of each rolling play."""

    hosts: tuple[HostRun, ...]
    exit: Exit
    seconds: float
    rolled: tuple[RollingFinished, ...] = ()


def pending(items: Sequence[Item]) -> tuple[Item, ...]:
    """The items that are not as declared, or not known yet."""
    return tuple(item for item in items if not item.as_declared)


def bad_input(hosts: Iterable[HostRun]) -> bool:
    """Whether one of them has refused what is declared: then no host at all is changed."""
    return any(host.code is Exit.BAD_INPUT for host in hosts)


def changing_hosts(hosts: Iterable[HostRun], play: int) -> list[HostRun]:
    """Those of the hosts that have something to do in a play."""
    return [host for host in hosts if host.pending(play)]


def skip(hosts: Iterable[HostRun], play: int) -> None:
    """A failure on another host ended this play before the turn of these hosts."""
    for host in hosts:
        host.skip(play)


def exit_code(hosts: Sequence[HostRun], check: bool, stopped: bool) -> Exit:
    """How a run ends. check: it changed nothing; stopped: it was interrupted."""
    codes = [host.code for host in hosts]
    if stopped:
        codes.append(Exit.INTERRUPTED)
    if check and any(host.plan and not host.plan.as_declared for host in hosts):
        codes.append(Exit.DIFFERENCES)
    return worst(codes)
