"""Prints a run on a terminal: the plan, a line for each change, progress, a closing table, the next command."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from typing import TextIO

from hdss7.report import text
from hdss7.report.progress import Progress
from provision.apply.events import (
    ChangeDone,
    ChangeStarted,
    Drained,
    Event,
    HostFailed,
    HostKnown,
    PlayStarted,
    PutBack,
    RevertStarted,
    RollingFinished,
    RollingPlanned,
    RunEnded,
    RunStarted,
    Waiting,
)
from provision.apply.run import Report
from provision.plan.plan import HostPlan
from provision.resources.configset.drain import NEW
from provision.spelling import listed

FAILURES_SHOWN = 12  # of many hosts, lines for one kind of failure while the run goes on; its end counts them all


class Console:
    """Listens to a run and prints it. diff: with the plan's diffs. verbose: as in text.plan_lines."""

    def __init__(self, stream: TextIO, *, diff: bool, verbose: int = 0) -> None:
        self._progress = Progress(stream)
        self._diff, self._verbose = diff, verbose
        self._lock = threading.RLock()
        self._hosts: tuple[str, ...] = ()
        self._plans: dict[str, HostPlan] = {}
        self._begun: dict[str, int] = {}
        self._rolls: list[RollingPlanned] = []
        self._reverted: set[str] = set()
        self._failed: Counter[str] = Counter()
        self._wide = (0, 0)
        self._planned = self._changing = False

    def __call__(self, event: Event) -> None:
        """Prints what an event means. Called from every host's thread."""
        with self._lock:
            self._tell(event)

    def _tell(self, event: Event) -> None:
        match event:
            case RunStarted(hosts, changing):
                self._hosts, self._changing = hosts, changing
                for host in hosts:
                    self._progress.doing(host, "connecting, gathering facts")
            case HostKnown(host, plan):
                self._plans[host] = plan
                self._progress.doing(host, "")
            case RollingPlanned():
                self._rolls.append(event)
            case Waiting(host, who):
                self._plan()
                self._progress.doing(host, f"waiting for the lock of {who}")
                self._progress.print(f"{host}: waiting for the lock of {who}")
            case PlayStarted(name, hosts):
                self._plan()
                self._progress.print(f"{name}: {listed(hosts, len(hosts) if self._verbose else text.MANY)}")
            case ChangeStarted(host, item):
                self._begun[host] = self._begun.get(host, 0) + 1
                plan = self._plans[host]
                total = len(plan.changes) + len(plan.after)
                self._progress.doing(host, f"{self._begun[host]}/{max(total, self._begun[host])} {item.resource.key}")
            case ChangeDone(host, item, seconds):
                self._progress.doing(host, "")
                if not self._many:
                    self._progress.print(text.done_line(host, item, seconds, self._verbose).render(self._wide))
            case HostFailed(host, error):
                self._progress.doing(host, "")
                self._failed[error.what] += 1
                if not self._many or self._failed[error.what] <= FAILURES_SHOWN:
                    self._progress.print(text.Line(text.FAILED, host, f"FAILED: {error.what}", "").render())
            case Drained(host):
                self._row("~", host, "Drain", "drained: new requests go to the other nodes")
            case PutBack(host, seconds):
                how = "reverted" if host in self._reverted else "gate passed"
                self._row("~", host, "Drain", f"ended: {how}, takes requests again after {seconds:.0f} s")
            case RevertStarted(host):
                self._reverted.add(host)
                self._row(text.FAILED, host, "Gate", "FAILED: the changes of this play on this node are reverted")
            case RollingFinished(name, receipt):
                self._progress.print(f"{name}: {receipt}")
                for target in receipt.not_served:
                    self._progress.print(
                        f"{name}: {target} did not answer before the change either, so it was not probed"
                    )
            case RunEnded():
                self._plan()
                self._progress.close()

    @property
    def _many(self) -> bool:
        """Whether there are too many hosts for a line each."""
        return len(self._hosts) > text.MANY and not self._verbose

    def _row(self, symbol: str, host: str, resource: str, status: str) -> None:
        self._progress.print(text.Line(symbol, host, resource, status).render(self._wide))

    def _plan(self) -> None:
        """The plan, once: before the first change, or at the end of a run that makes none."""
        if self._planned:
            return
        self._planned = True
        plans = [self._plans[host] for host in self._hosts if host in self._plans]
        lines = text.plan_lines(plans, diff=self._diff, verbose=self._verbose)
        lines += text.orphan_lines(plans) if not self._changing else []
        wide = text.widths(lines)
        self._wide = (max((len(host) for host in self._hosts), default=0), wide[1])
        for line in lines:
            self._progress.print(line.render(wide))
        for roll in self._rolls:
            self._progress.print(text.rolling_line(roll))
        for plan in plans:
            for node, run in plan.drained:
                how = "is new" if run == NEW else f"is drained by run {run}"
                self._progress.print(f"{plan.host}: {node} {how}; deploy puts it in once its gate passes")
        if lines or not self._changing:
            self._progress.print(text.plan_summary(plans, len(self._hosts)))

    def finish(self, report: Report, *, check: bool, next_step: str) -> None:
        """The end: why hosts failed (on standard error), what was not done, the table, the summary, what next."""
        sys.stdout.flush()
        apart = "" if self._many else "\n"
        for error in text.paragraphs((host.error for host in report.hosts if host.error), verbose=self._verbose):
            print(f"{apart}{error}", file=sys.stderr, flush=True)
        for line in text.moved_lines(report.hosts, verbose=self._verbose):
            self._progress.print(line)
        for line in text.not_done_lines(report.hosts, verbose=self._verbose):
            self._progress.print(line)
        self._progress.print()
        for row in text.table(report.hosts, check, verbose=self._verbose):
            self._progress.print(row)
        if not check:
            self._progress.print(text.outcome_summary(report))
        self._progress.print(next_step)
