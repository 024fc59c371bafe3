"""What a person sees of a run: a line for each resource that differs, what each host is doing, a table, what next."""

from __future__ import annotations

import sys
import threading
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
        self._undone: set[str] = set()
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
                    self._progress.doing(host, "connecting, asking")
            case HostKnown(host, plan):
                self._plans[host] = plan
                self._progress.doing(host, "")
            case RollingPlanned():
                self._rolls.append(event)
            case Waiting(host, who):
                self._plan()
                self._progress.doing(host, f"waiting for {who}")
                self._progress.print(f"{host}: waiting for {who}")
            case PlayStarted(name, hosts):
                self._plan()
                self._progress.print(f"{name}: {', '.join(hosts)}")
            case ChangeStarted(host, item):
                self._begun[host] = self._begun.get(host, 0) + 1
                plan = self._plans[host]
                total = len(plan.changes) + len(plan.after)
                self._progress.doing(host, f"{self._begun[host]}/{max(total, self._begun[host])} {item.resource.key}")
            case ChangeDone(host, item, seconds):
                self._progress.doing(host, "")
                self._progress.print(text.done_line(host, item, seconds, self._verbose).render(self._wide))
            case HostFailed(host, error):
                self._progress.doing(host, "")
                self._progress.print(text.Line(text.FAILED, host, error.what, "").render())
            case Drained(host):
                self._progress.print(f"{host}: out, nothing new is sent to it")
            case PutBack(host, seconds):
                how = "answers as before" if host in self._undone else "passed its gate"
                self._progress.print(f"{host}: {how} and is back, after {seconds:.0f} s")
            case RevertStarted(host):
                self._undone.add(host)
                self._progress.print(f"{host}: did not pass; what this play changed there is taken back")
            case RollingFinished(name, receipt):
                self._progress.print(f"{name}: {receipt}")
                for target in receipt.not_served:
                    self._progress.print(f"{name}: {target} did not answer before either, and was not asked")
            case RunEnded():
                self._plan()
                self._progress.close()

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
            self._progress.print(text.foretold(roll))
        for plan in plans:
            for node, run in plan.drained:
                self._progress.print(f"{plan.host}: {node} is drained by run {run}; deploy puts it back once it passes")
        if lines or not self._changing:
            self._progress.print(text.plan_summary(plans, len(self._hosts)))

    def finish(self, report: Report, *, check: bool, next_step: str) -> None:
        """The end: why hosts failed (on standard error), what was not done, the table, the summary, what next."""
        sys.stdout.flush()
        for error in text.paragraphs(host.error for host in report.hosts if host.error):
            print(f"\n{error}", file=sys.stderr, flush=True)
        for line in text.left_lines(report.hosts):
            self._progress.print(line)
        self._progress.print()
        for row in text.table(report.hosts, check):
            self._progress.print(row)
        if not check:
            self._progress.print(text.outcome_summary(report))
        self._progress.print(next_step)
