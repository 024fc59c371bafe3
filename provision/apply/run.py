"""What a run is about, and what is known of each host while it goes on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from provision.apply.events import RollingFinished
from provision.apply.host import Applied
from provision.errors import Exit, Explanation, worst
from provision.history.journal import About, Journal
from provision.plan.plan import Declaration, HostPlan, Item
from provision.playbook.health_check import HealthCheck
from provision.playbook.plays import Play
from provision.remote.connection import Connection, Session
from provision.remote.lock import Holder
from provision.remote.login import Login


@dataclass
class HostRun:
    """What is known of one host while a run goes on."""

    login: Login
    connection: Connection | None = None
    journal: Journal | None = None
    session: Session | None = None
    plan: HostPlan | None = None
    applied: list[Applied] = field(default_factory=list)
    reverted: list[Applied] = field(default_factory=list)  # what took back a play's changes here
    begun: int = 0  # entries of the journal before the present play
    finished: set[int] = field(default_factory=set)  # numbers of the plays that came to their end here
    error: Explanation | None = None
    code: Exit = Exit.OK
    skipped: tuple[Item, ...] = ()
    seconds: float = 0.0

    @property
    def name(self) -> str:
        """The host's name in the inventory."""
        return self.login.name

    @property
    def status(self) -> str:
        """ok, changed, would_change, failed, unreachable or skipped, as --json says it."""
        if self.error is not None:
            return "unreachable" if self.code is Exit.UNREACHABLE else "failed"
        if self.applied:
            return "changed"
        if self.plan is None or self.skipped:
            return "skipped"
        return "ok" if self.plan.as_declared else "would_change"

    @property
    def usable(self) -> bool:
        """Whether it is known and nothing went wrong on it."""
        return self.error is None and self.plan is not None


@dataclass(frozen=True)
class Report:
    """How a run went."""

    hosts: tuple[HostRun, ...]
    exit: Exit
    seconds: float
    rolled: tuple[RollingFinished, ...] = ()  # what clients saw of each rolling play


@dataclass(frozen=True)
class Work:
    """What is to be done: plain data but for the declarations that each host's thread asks for when it needs them."""

    plays: tuple[Play, ...]
    logins: tuple[Login, ...]
    declarations: Callable[[str], tuple[Declaration, ...]]
    everything: Callable[[str], tuple[Declaration, ...]]  # the same for any host, whatever the tags leave
    members: Callable[[str], tuple[str, ...]]  # the hosts that a pattern means, also outside --limit
    login: Callable[[str], Login]  # how any host of the inventory is reached
    watch: Callable[[Play], HealthCheck | None] = lambda _: None  # what has to answer while nodes are out
    gate: Callable[[str, Collection[str]], str] = lambda host, roles: ""  # checks of a host, '' when they pass
    force: bool = False  # change nodes without taking them out
    everywhere: Callable[[], tuple[Declaration, ...]] = lambda: ()  # what is declared for any host of the inventory
    prune: bool | None = None  # True: take away what no role declares any more; False: list it; None: don't look
    approve: Callable[[HostPlan], None] = lambda plan: None  # refuses a plan that is not the one that was agreed to
    check: bool = False
    forks: int = 20
    holder: Holder = field(default_factory=Holder)  # who does it, as hosts name them while they are locked
    wait: float = 0  # seconds to wait for hosts that another run changes
    about: Callable[[], About] = About  # what hosts write down about the run; asked only when there is a change
    variables: Callable[[str, Declaration], tuple[str, ...]] = lambda host, declaration: ()  # that a resource rests on


def pending(items: Sequence[Item]) -> tuple[Item, ...]:
    """The items that are not as declared, or not known yet."""
    return tuple(item for item in items if not item.as_declared)


def mark_skipped(hosts: Sequence[HostRun], number: int) -> None:
    """The hosts whose turn a failed batch before them took away."""
    for host in hosts:
        host.skipped += pending(host.plan.of_play(number)) if host.plan else ()
        host.plan = None


def mark_not_done(hosts: Sequence[HostRun]) -> None:
    """A run that stops says of every host what it did not get to."""
    for host in hosts:
        if host.error is None:
            host.skipped = not_done(host)


def not_done(host: HostRun) -> tuple[Item, ...]:
    """What was planned and not done: nothing of a finished play, nothing before the last change that was made."""
    items = pending(host.plan.items if host.plan else ())
    done = {applied.item.resource.key for applied in host.applied}
    reached = max((place for place, item in enumerate(items, 1) if item.resource.key in done), default=0)
    return tuple(item for item in items[reached:] if item.declaration.play not in host.finished)


def ended(hosts: Sequence[HostRun], check: bool, stopped: bool) -> Exit:
    """How a run ends. check: it changed nothing; stopped: it was interrupted."""
    codes = [host.code for host in hosts]
    if stopped:
        codes.append(Exit.INTERRUPTED)
    if check and any(host.plan and not host.plan.as_declared for host in hosts):
        codes.append(Exit.DIFFERENCES)
    return worst(codes)
