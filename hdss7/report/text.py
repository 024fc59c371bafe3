"""Plans and reports as lines for a person. Pure: what a terminal adds (colour, progress) is console.py's."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
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


def not_done_lines(hosts: Iterable[HostRun]) -> list[str]:
    """What was planned on each host and not done."""
    return [
        f"{host.name}: not done: {listed((item.resource.key for item in host.not_done), 8)}"
        for host in hosts
        if host.not_done
    ]


def paragraphs(errors: Iterable[Explanation]) -> list[str]:
    """Why hosts failed: what several have in common is said once, with their names and addresses.

    A mistake in the user's own text is one, whichever roles read it.
    """
    alike: dict[Explanation, list[Explanation]] = {}
    for error in errors:
        _, found = _address(error)
        alike.setdefault(replace(error, host="", role="" if error.line else error.role, found=found), []).append(error)
    return [
        str(
            replace(
                every[0],
                host=listed(dict.fromkeys(each.host for each in every if each.host)),
                found=listed(dict.fromkeys(_address(each)[0] for each in every)) + common.found,
            )
        )
        for common, every in alike.items()
    ]


def _address(error: Explanation) -> tuple[str, str]:
    """The host's own `ADDRESS:PORT` at the head of what was found, or "", and the rest."""
    head = ADDRESS.match(error.found) if error.host else None
    return (head[0], error.found[head.end() :]) if head else ("", error.found)


def table(hosts: Sequence[HostRun], check: bool) -> list[str]:
    """The closing table: a row for each host, numbers to the right."""
    rows = [("host", "status", "changes", "pending", "connections", "execs", "seconds")]
    for host in hosts:
        planned = len(host.plan.changes) if host.plan else 0
        rows.append(
            (
                host.name,
                host.status.replace("_", " "),
                str(planned if check else len(host.applied)),
                str(len(host.plan.after) if host.plan else 0),
                str(host.remote.connections),
                str(host.remote.execs),
                f"{host.seconds:.2f}",
            )
        )
    return columns(rows, right=(2, 3, 4, 5, 6))


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
