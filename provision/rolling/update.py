"""A rolling update: one node after the other is drained at the edges, changed, checked and put back.

    for each node:  drain on every edge -> wait for its connections to end -> change -> gate -> put back -> soak

When a node's change or its gate fails, or too many requests failed meanwhile, the change is reverted on that node at
once and the update stops. The node is put back once it answers as before; until then it stays drained.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from provision.apply.changes import Interrupted
from provision.apply.events import Drained, Listener, PutBack, RevertStarted
from provision.errors import FailedError, ProvisionError, UnreachableError
from provision.playbook.health_check import HealthCheck
from provision.resources.configset.drain import NEW
from provision.rolling.edges import ROUTES_BUDGET, Edges, Node
from provision.traffic.probe import Prober
from provision.usage import usage

CHECK_EVERY = 0.2  # seconds between two looks at the number of failed requests


@dataclass(frozen=True)
class RollStep:
    """One node's part of a rolling update.

    change: raises ProvisionError when it fails. undo: reverts what `change` did, and returns what of it stays ('' for
    nothing). Raises ProvisionError as well.
    """

    node: Node
    change: Callable[[], None]
    undo: Callable[[], str]


@dataclass(frozen=True)
class RollPolicy:
    """When a node has passed and when the update stops, as the play says in site.yml.

    soak: seconds after a node is back, longer than the edge's fail_timeout. gate: what further checks of one node found
    wrong, '' when they pass. max_fail: requests that may fail before the update stops and the node is reverted.
    explain: why the site does not answer, for the error; '' when it is unknown.
    """

    health_check: HealthCheck
    soak: float
    gate: Callable[[Node], str] = lambda _: ""
    max_fail: int = 1
    explain: Callable[[], str] = lambda: ""


class RollingUpdate:
    """One rolling play over its steps."""

    def __init__(
        self,
        edges: Edges,
        nodes: Sequence[Node],
        policy: RollPolicy,
        run: str,
        emit: Listener,
        drained: Mapping[str, str] = MappingProxyType({}),
        stop: threading.Event | None = None,
    ) -> None:
        """run: the run's name. drained: nodes that an interrupted run left drained, each with that run; they are put
        back once they pass. NEW ones are put in by their own step, or by `resume`.

        stop: set to end the update after the node that it is at.
        """
        self._drained = set(drained)
        self._new = frozenset(node for node, by in drained.items() if by == NEW)
        self._stop = stop or threading.Event()
        self._edges = edges
        self._nodes = nodes
        self._policy = policy
        self._run = run
        self._emit = emit
        self._drained_at = 0.0

    def roll(self, steps: Sequence[RollStep], prober: Prober) -> None:
        """Every step in turn, nodes that are drained or unhealthy first, new ones last: the others have to know them
        before anything runs there. Raises FailedError at the first that fails.
        """
        self.resume(except_for={*self._new, *(step.node.name for step in steps)})
        healthy = self._edges.healthy(self._nodes)

        def turn(step: RollStep) -> tuple[bool, bool, bool]:
            name = step.node.name
            return (name in self._new, name not in self._drained, name in healthy)

        for step in sorted(steps, key=turn):
            self._roll_node(step, healthy, prober)
            healthy.add(step.node.name)

    def resume(self, except_for: Collection[str] = ()) -> None:
        """Puts back what an interrupted run left drained, each node once it passes. except_for: nodes that change.

        A new node that does not answer yet stays out: it is not deployed.
        """
        due = [node for node in self._nodes if node.name in self._drained and node.name not in except_for]
        answering = self._edges.healthy(due) if any(node.name in self._new for node in due) else set()
        for node in due:
            if node.name not in self._new or node.name in answering:
                self._drained_at = time.monotonic()
                if fault := self._explained(self._edges.why_unhealthy(node) or self._policy.gate(node)):
                    raise FailedError(
                        f"{node.name} did not pass its gate and stays drained",
                        host=node.name,
                        found=f"{fault}. The site is served by the other nodes",
                        do="Fix it, then deploy again: it is put back once it passes",
                    )
                self._put_back(node)

    def _roll_node(self, step: RollStep, healthy: set[str], prober: Prober) -> None:
        if self._stop.is_set():
            raise Interrupted
        node = step.node
        if not healthy - self._drained - {node.name}:
            raise FailedError(
                f"only {node.name} answers {self._policy.health_check.url}: taking it out would leave none",
                host=node.name,
                found=f"of {', '.join(node.name for node in self._nodes)} only it answered 200",
                do=f"Fix the others first ({usage('verify')}), or deploy with --force",
            )
        self._drain(node, prober)
        self._or_revert(step, prober, lambda: self._change(step, prober))
        self._put_back(node, prober)
        self._or_revert(step, prober, lambda: self._soak(node, prober))

    def _change(self, step: RollStep, prober: Prober) -> None:
        self._check_failures(step.node, prober)
        step.change()
        if fault := self._why_unhealthy(step.node, prober) or self._explained(self._policy.gate(step.node)):
            raise FailedError(f"{step.node.name} did not pass its gate", host=step.node.name, found=fault)
        self._check_failures(step.node, prober)

    def _or_revert(self, step: RollStep, prober: Prober, attempt: Callable[[], None]) -> None:
        """Reverts the node when the attempt fails. Raises the error with what became of the node."""
        name = step.node.name
        try:
            attempt()
        except UnreachableError as error:  # nothing can be reverted there, and its state is unknown
            stays = f"{name} stays out: the next deploy finds out what was done, and puts it back once it passes"
            raise _with_consequence(error, name, stays if name in self._drained else "") from error
        except ProvisionError as error:
            raise _with_consequence(error, name, self._revert(step, prober)) from error

    def _revert(self, step: RollStep, prober: Prober) -> str:
        """Reverts a node. Returns the outcome in a sentence or two."""
        node, stays = step.node, ""
        self._emit(RevertStarted(node.name))
        try:
            if node.name not in self._drained:
                self._drain(node, prober)
            stays = step.undo()
            # no gate but the site's answer: the checks of a role are about what the inventory says now
            if fault := self._why_unhealthy(node, prober, alone=True):
                return f"It was reverted, but {node.name} stays drained: {fault}. The other nodes serve the site"
            self._put_back(node, prober)
        except ProvisionError as failure:
            parts = failure.explanation
            why = f"{parts.what} ({parts.found})" if parts.found else parts.what
            return f"It could not be reverted: {why}. {node.name} stays drained; the other nodes serve the site"
        return (
            f"What this play had changed on {node.name} is reverted"
            f"{f', but for {stays}' if stays else ''}: it answers as before and takes requests again"
        )

    def _drain(self, node: Node, prober: Prober) -> None:
        self._drained.add(node.name)
        prober.out(node.name)
        self._drained_at = time.monotonic()
        try:
            self._edges.set_drained(self._drained, f"drain {node.name}")
        except ProvisionError:
            self._drained.discard(node.name)
            prober.back(node.name)
            raise
        self._edges.wait_for_idle(node)
        self._emit(Drained(node.name, self._run))

    def _why_unhealthy(self, node: Node, prober: Prober, *, alone: bool = False) -> str:
        """What a node does not answer that it has to: the site, its own ports and the applications that answered before
        the update. alone: not an application that fails on the other nodes too: that node would stay out for nothing.
        """
        fault = self._edges.why_unhealthy(node) or prober.why_unhealthy(node.name, ROUTES_BUDGET, alone=alone)
        return self._explained(fault)

    def _explained(self, fault: str) -> str:
        return ". ".join(filter(None, (fault, self._policy.explain()))) if fault else ""

    def _put_back(self, node: Node, prober: Prober | None = None) -> None:
        self._drained.discard(node.name)
        self._edges.set_drained(self._drained, f"put {node.name} back")
        if prober:
            prober.back(node.name)
        self._emit(PutBack(node.name, time.monotonic() - self._drained_at))

    def _soak(self, node: Node, prober: Prober) -> None:
        """Sends requests to the changed node for a while before the next one is drained."""
        end = time.monotonic() + self._policy.soak
        while (remaining := end - time.monotonic()) > 0 and not self._stop.wait(min(remaining, CHECK_EVERY)):
            self._check_failures(node, prober)
        self._check_failures(node, prober)

    def _check_failures(self, node: Node, prober: Prober) -> None:
        if prober.failures > self._policy.max_fail:
            raise FailedError(
                f"{prober.failures} requests failed while the change was rolled, and {self._policy.max_fail} may",
                host=node.name,
                found="; ".join(prober.receipt().first_faults),
                do=f"Look at the log of the edge ({self._edges.error_logs}), then deploy again",
            )


def _with_consequence(error: ProvisionError, node: str, after: str) -> ProvisionError:
    """The same error, of this node, with the sentence that says what became of it."""
    known = error.explanation
    found = f"{known.found.rstrip('. ')}. {after}" if known.found and after else known.found or after
    do = known.do or "Fix what is named above, then deploy again"
    if "\n" in found:  # lines of a log: the sentence after them still needs its end
        found += "."
    return error.but(found=found, do=do).at(host=node)
