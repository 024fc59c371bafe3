"""The hosts through which a site is reached: who is left out on all of them, and how a node answers past them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from provision.errors import FailedError, ProvisionError
from provision.playbook.health_check import HealthCheck
from provision.remote.connection import Session
from provision.remote.protocol import Step
from provision.resources import ConfigSet
from provision.traffic.probe import Target

DRAIN_BUDGET = 30.0  # seconds that running requests get to end before the node is changed all the same
ROUTES_BUDGET = 60.0  # seconds that a changed node gets to answer again


@dataclass(frozen=True)
class Edge:
    """A host through which the site is reached: its session, its set, and the address that clients ask."""

    name: str
    session: Session
    config: ConfigSet
    address: str


@dataclass(frozen=True)
class Node:
    """A host that can be taken out, and how it is asked past the edge."""

    name: str
    address: str


class Edges:
    """All the edges of a roll, for the run of this name. marked: the nodes that they leave out now."""

    def __init__(self, edges: Sequence[Edge], watch: HealthCheck, run: str, marked: Iterable[str] = ()) -> None:
        self._edges = edges
        self._watch = watch
        self._run = run
        self._marked = frozenset(marked)

    def set_drained(self, out: Iterable[str], what: str) -> None:
        """Exactly these nodes are left out on every edge; `what` says why, for the error.

        One edge that does not take it ends the roll, with the others as before. Raises ProvisionError.
        """
        now, taken = frozenset(out), list[Edge]()
        try:
            for edge in self._edges:
                self._mark(edge, now, what)
                taken.append(edge)
        except ProvisionError:
            for edge in taken:
                with contextlib.suppress(ProvisionError):  # what is told is why the first one failed
                    self._mark(edge, self._marked, what)
            raise
        self._marked = now

    def _mark(self, edge: Edge, out: frozenset[str], what: str) -> None:
        result = edge.session.run(edge.config.draining(self._run, out))
        if result.code != 0:
            raise FailedError(
                f"could not {what} on {edge.name}",
                host=edge.name,
                found=result.errors,
                do="Mend the edge's configuration (invoke plan), then run again",
            )

    def wait_for_idle(self, node: Node) -> None:
        """Returns once no edge has a connection to the node any more, or the budget for it is spent."""
        still = f"ss -Htn state established dst {node.address}:{self._watch.port}"
        budget = int(DRAIN_BUDGET * 5)
        wait = f'n={budget}\nwhile [ -n "$({still})" ] && [ $n -gt 0 ]; do n=$((n-1)); sleep 0.2; done\n'
        for edge in self._edges:
            edge.session.run(Step(wait, timeout=DRAIN_BUDGET + 10))

    def healthy(self, nodes: Sequence[Node]) -> set[str]:
        """The nodes that answer the URL alone, as the first edge sees them."""
        checks = "".join(f'[ "$({self._curl(node)})" = 200 ] && echo {node.name}\n' for node in nodes)
        result = self._edges[0].session.run(Step(checks + "true", timeout=10 + 6 * len(nodes)))
        return set(result.output.split())

    def silent(self, node: Node) -> str:
        """What a node answers that does not answer as it should, when it had its time; '' for one that does."""
        until = (
            f"n={int(ROUTES_BUDGET * 4)}\n"
            f'until [ "$({self._curl(node)})" = 200 ]; do\n'
            f"  n=$((n-1)); [ $n -gt 0 ] || {{ {self._curl(node)}; exit 1; }}; sleep 0.25\ndone\n"
        )
        result = self._edges[0].session.run(Step(until, timeout=ROUTES_BUDGET * 7))
        status = result.output.strip() or "nothing"
        return f"it answered {self._watch.url} with status {status} for {ROUTES_BUDGET:.0f} s" * bool(result.code)

    def _curl(self, node: Node) -> str:
        parts = urlsplit(self._watch.url)
        return (
            "curl -s -o /dev/null -w '%{http_code}' -m 5 --connect-timeout 2 "
            f"-H 'Host: {parts.netloc}' 'http://{node.address}:{self._watch.port}{parts.path or '/'}'"
        )


def targets(watch: HealthCheck, edges: Sequence[Edge], nodes: Sequence[Node]) -> tuple[Target, ...]:
    """What a prober asks during a roll: the URL through every edge, and in turn with it each node's own ports."""
    through = [Target(watch.url, edge.address) for edge in edges]
    own = [
        Target(f"http://{node.address}:{port}/", node.address, port, node=node.name)
        for node in nodes
        for port in watch.node_ports
    ]
    rounds = max(len(through), len(own))
    return tuple(kind[place % len(kind)] for place in range(rounds) for kind in (through, own) if kind)
