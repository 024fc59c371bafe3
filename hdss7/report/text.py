"""Plans and reports as lines for a person. Pure: what a terminal adds (colour, progress) is console.py's."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from provision.apply.events import RollingPlanned
from provision.apply.run import HostRun, Report
from provision.errors import Exit, Explanation
from provision.plan.plan import HostPlan, Item
from provision.resources.base import Change, Outcome, Unknown
from provision.resources.optional.prunable import Prunable
from provision.resources.optional.reversible import rollback_summary
from provision.spelling import listed

SYMBOLS = {"create": "+", "update": "~", "restart": "~", "run": "~", "remove": "-"}
PAST = {"create": "created", "update": "updated", "restart": "restarted", "run": "done", "remove": "removed"}
UNCHANGED, UNKNOWN, FAILED = "=", "?", "!"
HOSTS_SHOWN = 6
MANY = 20  # hosts; of more, what is alike is one line
ALIKE = 4  # errors of one kind, with different details, from which on one stands for all
ADDRESS = re.compile(r"\S+:\d+(?=:? )")
Same = tuple[int, str, str, Outcome]  # play, role, resource, what differs


@dataclass(frozen=True)
class Line:
    """One resource: symbol, hosts, resource, status; and the lines of its diff."""

    symbol: str
    hosts: str
    resource: str
    status: str
    diff: tuple[str, ...] = ()

    def render(self, widths: tuple[int, int] = (0, 0)) -> str:
        """As it is printed, hosts and resource padded to `widths`."""
        line = f"{self.symbol} {self.hosts:{widths[0]}}  {self.resource:{widths[1]}}  {self.status}".rstrip()
        return "\n".join([line, *(f"    {row}" for row in self.diff)])


def rolling_line(roll: RollingPlanned) -> str:
    """Which nodes a play will drain, and at which edges; edges outside --limit by name."""
    turn = ", one at a time," if len(roll.hosts) > 1 else ""
    line = f"{roll.play}: drains {listed(roll.hosts, HOSTS_SHOWN)}{turn} at {listed(roll.edges, HOSTS_SHOWN)}"
    if not roll.beyond:
        return line
    verb = "is" if len(roll.beyond) == 1 else "are"
    return f"{line} ({listed(roll.beyond, HOSTS_SHOWN)} {verb} outside --limit: only the drain mark changes there)"


def plan_lines(plans: Iterable[HostPlan], *, diff: bool, verbose: int = 0) -> list[Line]:
    """One line for each difference, play by play and role by role; what is equal on several hosts is one line.

    diff: with what differs, line by line. verbose: 1 adds role, place and how it is undone, 2 what is as declared.
    """
    hosts: dict[Same, list[str]] = {}
    items: dict[Same, Item] = {}
    places: dict[Same, tuple[int, int, int]] = {}
    roles: dict[tuple[int, str], int] = {}
    for plan in plans:
        seen: Counter[tuple[int, str]] = Counter()
        for item in plan.items:
            use = (item.declaration.play, item.declaration.role)
            seen[use] += 1
            if not item.as_declared or verbose > 1:
                same = (*use, item.resource.key, item.outcome)
                places.setdefault(same, (use[0], roles.setdefault(use, len(roles)), seen[use]))
                items.setdefault(same, item)
                hosts.setdefault(same, []).append(plan.host)
    return [
        _line(items[same], listed(hosts[same], HOSTS_SHOWN), diff, verbose)
        for same in sorted(places, key=lambda same: places[same])
    ]


def _line(item: Item, hosts: str, diff: bool, verbose: int) -> Line:
    outcome = item.outcome
    where = f"  ({item.declaration.role}, {item.declaration.line})" if verbose else ""
    if isinstance(outcome, Change):
        rows = tuple(outcome.diff.splitlines()) if diff else ()
        back = f"  (rollback: {rollback_summary(item.resource)})" if verbose else ""
        return Line(SYMBOLS[outcome.action], hosts, item.resource.key, brief(item, outcome) + where + back, rows)
    if isinstance(outcome, Unknown):
        return Line(UNKNOWN, hosts, item.resource.key, f"known after {outcome.until}{where}")
    return Line(UNCHANGED, hosts, item.resource.key, f"as declared{where}")


def orphan_lines(plans: Iterable[HostPlan]) -> list[Line]:
    """What nothing declares, a line for each: it stays until --prune."""
    hosts: dict[tuple[str, str], list[str]] = {}
    for plan in plans:
        for item in plan.orphans:
            key = item.declaration.made_as or item.resource.key
            hosts.setdefault((key, _orphan(item)), []).append(plan.host)
    return [Line(UNCHANGED, listed(names, HOSTS_SHOWN), key, status) for (key, status), names in hosts.items()]


def _orphan(item: Item) -> str:
    if not isinstance(item.resource, Prunable):
        return f"no longer declared (was role {item.declaration.role}); deploy --prune removes it"
    return f"{item.summary}; only with --prune" if item.resource.removable else item.summary


def brief(item: Item, change: Change) -> str:
    """The change without the name that stands before it on the same line."""
    name = re.escape(item.resource.key.partition(" ")[2])
    return re.sub(rf"(^|\s){name}(?=$|[\s:,])", "", change.summary, count=1).strip(" :") or change.action


def done_line(host: str, item: Item, seconds: float, verbose: int = 0) -> Line:
    """A change that was made."""
    assert isinstance(item.outcome, Change)
    where = f"  ({item.declaration.role}, {item.declaration.line})" if verbose else ""
    status = f"{PAST[item.outcome.action]}  {seconds:.1f} s{where}"
    return Line(SYMBOLS[item.outcome.action], host, item.resource.key, status)


def widths(lines: Sequence[Line], most: tuple[int, int] = (24, 56)) -> tuple[int, int]:
    """How wide hosts and resources have to be for the lines to stand in columns; long ones may stick out."""
    return (
        min(most[0], max((len(line.hosts) for line in lines), default=0)),
        min(most[1], max((len(line.resource) for line in lines), default=0)),
    )


def plan_summary(plans: Sequence[HostPlan], asked: int) -> str:
    """`plan: 3 changes on 2 hosts`, and how many of the hosts that were asked gave no plan."""
    changes = sum(len(plan.changes) for plan in plans)
    after = sum(len(plan.after) for plan in plans)
    busy = sum(1 for plan in plans if not plan.as_declared)
    silent = asked - len(plans)
    if silent and not plans:
        return f"plan: nothing planned; {number(silent, 'host')} failed or could not be reached"
    if busy:
        text = f"plan: {number(changes, 'change')} on {number(busy, 'host')}"
        text += f", {after} known after other changes" if after else ""
    else:
        text = "plan: 0 changes on every host" if not silent else f"plan: 0 changes on {number(len(plans), 'host')}"
    return text + (f"; {number(silent, 'host')} could not be planned" if silent else "")


def outcome_summary(report: Report) -> str:
    """What a run did, in one line."""
    made = sum(len(host.applied) for host in report.hosts)
    busy = sum(1 for host in report.hosts if host.applied)
    bad = [host for host in report.hosts if host.error is not None]
    failed = sum(1 for host in bad if host.status == "failed")
    skipped = sum(len(host.not_done) for host in report.hosts)
    parts = [f"{number(made, 'change')} on {number(busy, 'host')}" if made else "0 changes on every host"]
    if not made and (bad or skipped):
        parts = ["0 changes"]
    if failed:
        parts.append(f"{number(failed, 'host')} failed")
    if len(bad) > failed:
        parts.append(f"{number(len(bad) - failed, 'host')} could not be reached")
    if skipped:
        parts.append(f"{number(skipped, 'planned change')} not made")
    if report.exit is Exit.INTERRUPTED:
        parts.append("interrupted")
    return f"{'; '.join(parts)}; {report.seconds:.2f} s"


def not_done_lines(hosts: Iterable[HostRun], *, verbose: int = 0) -> list[str]:
    """What was planned and not done: a line for each host, or for all of whom the same is said."""
    said: dict[str, list[str]] = {}
    for host in hosts:
        if host.not_done:
            said.setdefault(listed((item.resource.key for item in host.not_done), 8), []).append(host.name)
    most = sum(map(len, said.values())) if verbose else 12
    return [f"{listed(names, most)}: not done: {what}" for what, names in said.items()]


def moved_lines(hosts: Iterable[HostRun], *, verbose: int = 0) -> list[str]:
    """Which hosts another worker has taken over, a line for each worker that was lost."""
    lost: dict[str, list[str]] = {}
    for host in hosts:
        for worker in dict.fromkeys(() if host.error else host.remote.moved):
            lost.setdefault(worker, []).append(host.name)
    return [
        f"{worker} was lost: {number(len(names), 'host')} taken over by another worker: "
        f"{listed(names, len(names) if verbose else 12)}"
        for worker, names in lost.items()
    ]


def paragraphs(errors: Iterable[Explanation], *, verbose: int = 0) -> list[str]:
    """Why hosts failed: what several have in common is said once, with their names and addresses.

    A mistake in the user's own text is one, whichever roles read it. verbose: all are named, and each detail is said.
    """
    alike: dict[Explanation, list[Explanation]] = {}
    for error in errors:
        _, found = _address(error)
        alike.setdefault(replace(error, host="", role="" if error.line else error.role, found=found), []).append(error)
    groups = list(alike.items()) if verbose else _of_a_kind(alike)
    return [_paragraph(common, every, verbose) for common, every in groups]


def _paragraph(common: Explanation, every: Sequence[Explanation], verbose: int) -> str:
    most = len(every) if verbose else 12
    hosts = listed(dict.fromkeys(each.host for each in every if each.host), most)
    addresses = listed(dict.fromkeys(_address(each)[0] for each in every), most)
    return str(replace(every[0], host=hosts, do=common.do, found=addresses + common.found))


def _of_a_kind(alike: Mapping[Explanation, list[Explanation]]) -> list[tuple[Explanation, list[Explanation]]]:
    """The same groups; where many differ only in details, such as a host's key, the first one's stand for all."""
    kinds: dict[tuple[str, ...], list[tuple[Explanation, list[Explanation]]]] = {}
    for common, every in alike.items():
        do = common.do.replace(every[0].host, "HOST") if every[0].host else common.do
        kinds.setdefault((common.what, common.role, common.line, do), []).append((common, every))
    groups = []
    for (*_, do), members in kinds.items():
        common, first = members[0]
        if len(members) < ALIKE:
            groups += members
        else:
            found = f"{first[0].found.rstrip('.')} ({first[0].host}; of the others --verbose says it)"
            groups.append((replace(common, found=found, do=do), [_bare(each) for _, all_ in members for each in all_]))
    return groups


def _bare(error: Explanation) -> Explanation:
    return replace(error, found="")


def _address(error: Explanation) -> tuple[str, str]:
    """The host's own `ADDRESS:PORT` at the head of what was found, or "", and the rest."""
    head = ADDRESS.match(error.found) if error.host else None
    return (head[0], error.found[head.end() :]) if head else ("", error.found)


def table(hosts: Sequence[HostRun], check: bool, *, verbose: int = 0) -> list[str]:
    """The closing table: a row for each host, numbers to the right; of many hosts a row for those that fared alike."""
    alike: dict[tuple[str, ...], list[HostRun]] = {}
    for host in hosts:
        apart = (host.name,) if verbose or len(hosts) <= MANY else ()
        alike.setdefault((*apart, *_fared(host, check)), []).append(host)
    head = ("host", "status", "changes", "pending", "connections", "execs", "seconds")
    rows = [
        (every[0].name if len(every) == 1 else number(len(every), "host"), *fared[-5:], f"{_last(every):.2f}")
        for fared, every in alike.items()
    ]
    return columns([head, *rows], right=(2, 3, 4, 5, 6))


def _fared(host: HostRun, check: bool) -> tuple[str, ...]:
    planned = len(host.plan.changes) if host.plan else 0
    return (
        host.status.replace("_", " "),
        str(planned if check else len(host.applied)),
        str(len(host.plan.after) if host.plan else 0),
        str(host.remote.connections),
        str(host.remote.execs),
    )


def _last(hosts: Iterable[HostRun]) -> float:
    return max(host.seconds for host in hosts)


def columns(rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> list[str]:
    """Rows of cells as lines, each column as wide as its widest cell."""
    wide = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))] if rows else []
    return [
        "  ".join(
            cell.rjust(wide[place]) if place in right else cell.ljust(wide[place]) for place, cell in enumerate(row)
        ).rstrip()
        for row in rows
    ]


def number(count: int, noun: str) -> str:
    """`1 host`, `3 hosts`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
