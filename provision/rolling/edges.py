"""The hosts through which a site is reached: who is drained on all of them, and how a node answers past them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from provision.errors import FailedError, ProvisionError
from provision.playbook.health_check import HealthCheck
from provision.remote.connection import Session
from provision.remote.protocol import Step
from provision.resources.configset.drain import Drainer
from provision.traffic.probe import Target

DRAIN_BUDGET = 30.0  # seconds that running requests get to end before the node is changed all the same
ROUTES_BUDGET = 60.0  # seconds that a changed node gets to answer again


@dataclass(frozen=True)
class Edge:
    """A host through which the site is reached: its session, what drains there, and the address that clients ask."""

    name: str
    session: Session
    drainer: Drainer
    address: str


@dataclass(frozen=True)
class Node:
    """A host that can be drained, and how it is asked past the edge."""

    name: str
    address: str


class Edges:
    """All the edges of a rolling update, for the run of this name. drained: the nodes that they leave out now."""

    def __init__(self, edges: Sequence[Edge], health_check: HealthCheck, run: str, drained: Iterable[str] = ()) -> None:
        self._edges = edges
        self._health_check = health_check
        self._run = run
        self._drained = frozenset(drained)

    @property
    def error_logs(self) -> str:
        """Where the edges say why requests failed, for a person: `/var/log/x.log on hdss7-11, …`."""
        return ", ".join(f"{edge.drainer.error_log} on {edge.name}" for edge in self._edges)

    def set_drained(self, nodes: Iterable[str], what: str) -> None:
        """Exactly these nodes are drained on every edge; `what` says why, for the error.

        When one edge fails, the others go back to what they drained before. Raises ProvisionError.
        """
        wanted, done = frozenset(nodes), list[Edge]()
        try:
            for edge in self._edges:
                self._set_drained_on(edge, wanted, what)
                done.append(edge)
        except ProvisionError:
            for edge in done:
                with contextlib.suppress(ProvisionError):  # the error that counts is the first edge's
                    self._set_drained_on(edge, self._drained, what)
            raise
        self._drained = wanted

    def _set_drained_on(self, edge: Edge, nodes: frozenset[str], what: str) -> None:
        drained = dict.fromkeys(nodes & edge.drainer.drainable, self._run)
        result = edge.session.run(edge.drainer.set_drained(drained))
        if result.code != 0:
            raise FailedError(
                f"could not {what} on {edge.name}",
                host=edge.name,
                found=result.errors,
                do="Mend the edge's configuration (invoke plan), then run again",
            )

    def wait_for_idle(self, node: Node) -> None:
        """Returns once no edge has a connection to the node any more, or after DRAIN_BUDGET seconds an edge."""
        for edge in self._edges:
            count = edge.drainer.count_connections(node.address, self._health_check.port)
            wait = f"n={int(DRAIN_BUDGET * 5)}\n" + (
                f'while [ "$({count})" -gt 0 ] && [ $n -gt 0 ]; do n=$((n-1)); sleep 0.2; done\n'
            )
            edge.session.run(Step(wait, timeout=DRAIN_BUDGET + 10))

    def healthy(self, nodes: Sequence[Node]) -> set[str]:
        """The nodes that answer the URL alone, as the first edge sees them."""
        checks = "".join(f'[ "$({self._curl(node)})" = 200 ] && echo {node.name}\n' for node in nodes)
        result = self._edges[0].session.run(Step(checks + "true", timeout=10 + 6 * len(nodes)))
        return set(result.output.split())

    def why_unhealthy(self, node: Node) -> str:
        """What a node answers when it does not answer 200 within ROUTES_BUDGET seconds; '' once it does."""
        until = (
            f"n={int(ROUTES_BUDGET * 4)}\n"
            f'until [ "$({self._curl(node)})" = 200 ]; do\n'
            f"  n=$((n-1)); [ $n -gt 0 ] || {{ {self._curl(node)}; exit 1; }}; sleep 0.25\ndone\n"
        )
        result = self._edges[0].session.run(Step(until, timeout=ROUTES_BUDGET * 7))
        status = result.output.strip() or "nothing"
        return f"it answered {self._health_check.url} with status {status} for {ROUTES_BUDGET:.0f} s" * bool(
            result.code
        )

    def _curl(self, node: Node) -> str:
        parts = urlsplit(self._health_check.url)
        return (
            "curl -s -o /dev/null -w '%{http_code}' -m 5 --connect-timeout 2 "
            f"-H 'Host: {parts.netloc}' 'http://{node.address}:{self._health_check.port}{parts.path or '/'}'"
        )


def targets(check: HealthCheck, edges: Sequence[Edge], nodes: Sequence[Node]) -> tuple[Target, ...]:
    """What a prober asks during a rolling update: the URL through every edge, and by turns each node's own ports."""
    through = [Target(check.url, edge.address) for edge in edges]
    own = [
        Target(f"http://{node.address}:{port}/", node.address, port, node=node.name)
        for node in nodes
        for port in check.node_ports
    ]
    rounds = max(len(through), len(own))
    return tuple(kind[place % len(kind)] for place in range(rounds) for kind in (through, own) if kind)
