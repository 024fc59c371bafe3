"""A play that takes one node out after the other: drained at the edge, changed, judged, put back. Nothing else is out.

    for each node:  drain on every edge -> wait for its connections to end -> change -> gate -> put back -> soak

What a node's change, its gate or the budget of failed requests says against is taken back on that node at once, and the
roll stops there. Once the node answers as before it is put back; if it does not, it stays out, with the site answering.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from provision.apply.events import Drained, Listener, PutBack, RevertStarted
from provision.apply.host import Interrupted
from provision.errors import FailedError, ProvisionError, UnreachableError
from provision.playbook.health_check import HealthCheck
from provision.rolling.edges import ROUTES_BUDGET, Edges, Node
from provision.traffic.probe import Prober

LOOK_EVERY = 0.2  # seconds between two looks at the budget of failed requests


@dataclass(frozen=True)
class RollStep:
    """One piece of a rolling change. `change` does it and raises ProvisionError when it fails.

    undo: takes back what `change` did, and returns what of it stays ('' for nothing). Raises ProvisionError as well.
    """

    node: Node
    change: Callable[[], None]
    undo: Callable[[], str]


@dataclass(frozen=True)
class RollPolicy:
    """How carefully: the play's own words in site.yml.

    soak: seconds after a node is back, longer than the edge's fail_timeout. gate: further checks on one node, what
    they found or '' when they pass. max_fail: requests that may fail before the roll stops and goes back.
    explain: why the site does not answer, for the error; '' when nobody can tell.
    """

    watch: HealthCheck
    soak: float
    gate: Callable[[Node], str] = lambda _: ""
    max_fail: int = 1
    explain: Callable[[], str] = lambda: ""


class RollingUpdate:
    """One rolling play over its units."""

    def __init__(
        self,
        edges: Edges,
        nodes: Sequence[Node],
        care: RollPolicy,
        run: str,
        emit: Listener,
        leftover: Iterable[str] = (),
        stop: threading.Event | None = None,
    ) -> None:
        """leftover: nodes that a run which died has left drained; they are put back only once they pass.

        stop: set when the roll shall end with the node that it is at.
        """
        self._out = set(leftover)
        self._stop = stop or threading.Event()
        self._edges = edges
        self._nodes = nodes
        self._care = care
        self._run = run
        self._emit = emit
        self._since = 0.0

    def go(self, units: Sequence[RollStep], prober: Prober) -> None:
        """Every unit in turn, those that are out or do not answer first. Raises FailedError at the first that fails."""
        self.resume(but={unit.node.name for unit in units})
        healthy = self._edges.healthy(self._nodes)
        for unit in sorted(units, key=lambda unit: (unit.node.name not in self._out, unit.node.name in healthy)):
            self._one(unit, healthy, prober)
            healthy.add(unit.node.name)

    def resume(self, but: Collection[str] = ()) -> None:
        """Puts back what a run that died has left out, each node once it passes. `but`: nodes that change first."""
        for node in self._nodes:
            if node.name in self._out and node.name not in but:
                self._since = time.monotonic()
                if fault := self._edges.why_unhealthy(node) or self._care.gate(node):
                    raise FailedError(
                        f"{node.name} did not pass its gate and stays drained",
                        host=node.name,
                        found=f"{fault}. The site is served by the other nodes",
                        do="Mend it, then deploy again: it is put back once it passes",
                    )
                self._put_back(node)

    def _one(self, unit: RollStep, healthy: set[str], prober: Prober) -> None:
        if self._stop.is_set():
            raise Interrupted
        node = unit.node
        if not healthy - self._out - {node.name}:
            raise FailedError(
                f"only {node.name} answers {self._care.watch.url}: taking it out would leave none",
                host=node.name,
                found=f"of {', '.join(node.name for node in self._nodes)} only it answered 200",
                do="Mend the others first (invoke verify), or deploy with --force",
            )
        self._take_out(node, prober)
        self._or_go_back(unit, prober, lambda: self._change(unit, prober))
        self._put_back(node, prober)
        self._or_go_back(unit, prober, lambda: self._soak(node, prober))

    def _change(self, unit: RollStep, prober: Prober) -> None:
        self._within_budget(unit.node, prober)
        unit.change()
        if fault := self._why_unhealthy(unit.node, prober) or self._care.gate(unit.node):
            raise FailedError(f"{unit.node.name} did not pass its gate", host=unit.node.name, found=fault)
        self._within_budget(unit.node, prober)

    def _or_go_back(self, unit: RollStep, prober: Prober, attempt: Callable[[], None]) -> None:
        """Does it; when it fails, the node is made what it was before the play. Raises what the user has to hear."""
        name = unit.node.name
        try:
            attempt()
        except UnreachableError as error:  # nothing can be taken back there, nor is it known how it is
            stays = f"{name} stays out: the next deploy finds out what was done, and puts it back once it passes"
            raise _told(error, name, stays if name in self._out else "") from error
        except ProvisionError as error:
            raise _told(error, name, self._go_back(unit, prober)) from error

    def _go_back(self, unit: RollStep, prober: Prober) -> str:
        """What became of the node, in a sentence or two."""
        node, stays = unit.node, ""
        self._emit(RevertStarted(node.name))
        try:
            if node.name not in self._out:
                self._take_out(node, prober)
            stays = unit.undo()
            # no gate but the site's answer: the checks of a role promise what the inventory says now
            if fault := self._why_unhealthy(node, prober):
                return f"It was taken back, but {node.name} stays out: {fault}. The site is served by the other nodes"
            self._put_back(node, prober)
        except ProvisionError as second:
            parts = second.explanation
            why = f"{parts.what} ({parts.found})" if parts.found else parts.what
            return f"It could not be taken back: {why}. {node.name} stays out, the site is served by the other nodes"
        return (
            f"What this play had changed on {node.name} is taken back"
            f"{f', but for {stays}' if stays else ''}: it answers as before and takes requests again"
        )

    def _take_out(self, node: Node, prober: Prober) -> None:
        self._out.add(node.name)
        prober.out(node.name)
        self._since = time.monotonic()
        try:
            self._edges.set_drained(self._out, f"drain {node.name}")
        except ProvisionError:
            self._out.discard(node.name)
            prober.back(node.name)
            raise
        self._edges.wait_for_idle(node)
        self._emit(Drained(node.name, self._run))

    def _why_unhealthy(self, node: Node, prober: Prober) -> str:
        """What does not answer on a node that has to: the site, and what it answered by itself before the roll."""
        fault = self._edges.why_unhealthy(node) or prober.silent(node.name, ROUTES_BUDGET)
        return ". ".join(filter(None, (fault, self._care.explain()))) if fault else ""

    def _put_back(self, node: Node, prober: Prober | None = None) -> None:
        self._out.discard(node.name)
        self._edges.set_drained(self._out, f"put {node.name} back")
        if prober:
            prober.back(node.name)
        self._emit(PutBack(node.name, time.monotonic() - self._since))

    def _soak(self, node: Node, prober: Prober) -> None:
        """Requests go to the changed node for a while before the next one is taken out."""
        end = time.monotonic() + self._care.soak
        while (left := end - time.monotonic()) > 0 and not self._stop.wait(min(left, LOOK_EVERY)):
            self._within_budget(node, prober)
        self._within_budget(node, prober)

    def _within_budget(self, node: Node, prober: Prober) -> None:
        if prober.failures > self._care.max_fail:
            raise FailedError(
                f"{prober.failures} requests failed while the change was rolled, and {self._care.max_fail} may",
                host=node.name,
                found="; ".join(prober.receipt().first_faults),
                do=f"Look at the log of the edge ({self._edges.error_logs}), then deploy again",
            )


def _told(error: ProvisionError, node: str, after: str) -> ProvisionError:
    """The same error, of this node, with what became of it."""
    known = error.explanation
    found = f"{known.found.rstrip('. ')}. {after}" if known.found and after else known.found or after
    do = known.do or "Mend what is said above, then deploy again"
    if "\n" in found:  # lines of a log: the sentence after them still needs its end
        found += "."
    return error.but(found=found, do=do).at(host=node)
