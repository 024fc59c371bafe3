"""The edges of a site: which nodes are drained on all of them, and how a node answers behind them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from urllib.parse import urlsplit

from provision.errors import FailedError, ProvisionError
from provision.playbook.health_check import HealthCheck
from provision.remote.connection import Session
from provision.remote.protocol import Step
from provision.remote.shell import Scripts, function
from provision.resources.configset.drain import NEW, Drainer
from provision.traffic.probe import Target
from provision.usage import usage

_SCRIPTS = Scripts(__file__)
DRAIN_BUDGET = 30.0  # seconds, on each edge in turn, for running requests to end; then the node is changed all the same
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
    """All the edges of a rolling update, for the run of this name.

    drained: the nodes that they leave out now, each with the run that drained it, or NEW.
    """

    def __init__(
        self,
        edges: Sequence[Edge],
        health_check: HealthCheck,
        run: str,
        drained: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._edges = edges
        self._health_check = health_check
        self._run = run
        self._drained = frozenset(drained)
        self._new = frozenset(node for node, by in drained.items() if by == NEW)

    @property
    def error_logs(self) -> str:
        """Where the edges say why requests failed, for a person: `/var/log/x.log on hdss7-11, …`."""
        return ", ".join(f"{edge.drainer.error_log} on {edge.name}" for edge in self._edges)

    def set_drained(self, nodes: Iterable[str], what: str) -> None:
        """Exactly these nodes are drained on every edge; `what` says why, for the error.

        When one edge fails, the others go back to what they drained before. Raises ProvisionError.
        """
        wanted, done = frozenset(nodes), list[Edge]()
        self._require_somebody_else(wanted, what)
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

    def _require_somebody_else(self, nodes: frozenset[str], what: str) -> None:
        """Where the edges' own traffic is what is drained, one that stays has to take it over."""
        staying = [edge for edge in self._edges if edge.drainer.takes_over() and edge.name not in nodes]
        asked = any(edge.drainer.takes_over() for edge in self._edges) and not nodes <= self._drained
        if asked and all(edge.session.run(Step(edge.drainer.takes_over(), timeout=20)).code != 0 for edge in staying):
            raise FailedError(
                f"could not {what}: no other host would take its traffic over",
                found=f"{', '.join(edge.name for edge in staying) or 'no other host'} does not stand by for it",
                do=f"See what it lacks: {usage('verify')}",
            )

    def _set_drained_on(self, edge: Edge, nodes: frozenset[str], what: str) -> None:
        drained = {node: NEW if node in self._new else self._run for node in nodes & edge.drainer.drainable}
        result = edge.session.run(edge.drainer.set_drained(drained))
        if result.code != 0:
            raise FailedError(
                f"could not {what} on {edge.name}",
                host=edge.name,
                found=result.errors,
                do=f"Fix the edge's configuration ({usage('plan')}), then run again",
            )

    def wait_for_idle(self, node: Node) -> None:
        """Returns once no edge has a connection to the node any more, or after DRAIN_BUDGET seconds an edge."""
        for edge in self._edges:
            count = edge.drainer.count_connections(node.address, self._health_check.port)
            wait = _SCRIPTS.call("wait_idle", SECONDS_ALLOWED=f"{DRAIN_BUDGET:.0f}")
            edge.session.run(Step(function("count_connections", count) + wait, timeout=DRAIN_BUDGET + 10))

    def healthy(self, nodes: Sequence[Node]) -> set[str]:
        """The nodes that answer the URL alone, as the first edge sees them."""
        pairs = [text for node in nodes for text in (node.name, node.address)]
        script = self._status_function + _SCRIPTS.call("healthy", *pairs)
        result = self._edges[0].session.run(Step(script, timeout=10 + 6 * len(nodes)))
        return set(result.output.split())

    def why_unhealthy(self, node: Node) -> str:
        """What a node answers when it does not answer 200 within ROUTES_BUDGET seconds; '' once it does."""
        wait = _SCRIPTS.call("wait_healthy", node.address, SECONDS_ALLOWED=f"{ROUTES_BUDGET:.0f}")
        result = self._edges[0].session.run(Step(self._status_function + wait, timeout=ROUTES_BUDGET * 7))
        if result.code == 0:
            return ""
        status = result.output.strip() or "nothing"
        return f"it answered {self._health_check.url} with status {status} for {ROUTES_BUDGET:.0f} s"

    @property
    def _status_function(self) -> str:
        asked = _alone(self._health_check, Target(self._health_check.url, ""))
        return _SCRIPTS.call("status", URL=asked.url, PORT=str(asked.port), METHOD=asked.method)


def targets(check: HealthCheck, edges: Sequence[Edge], nodes: Sequence[Node]) -> tuple[Target, ...]:
    """What a prober asks during a rolling update, by turns: the URL through every edge, each node's own ports, and the
    applications through every edge and each node alone.
    """
    entrances = tuple(dict.fromkeys(edge.address for edge in edges))
    own = [
        Target(f"http://{node.address}:{port}/", node.address, port, node=node.name)
        for node in nodes
        for port in check.node_ports
    ]
    through = [_through(check, Target(check.url, address)) for address in entrances]
    applications = [
        _through(check, Target(app.url, address, expect=app.expect, application=app.name))
        for address in entrances
        for app in check.applications
    ]
    applications += [
        _alone(check, Target(app.url, node.address, expect=app.expect, node=node.name, application=app.name))
        for node in ([] if check.nodes_closed and not check.of_edges else nodes)
        for app in check.applications
    ]
    kinds = [kind for kind in (through, own, applications) if kind]
    most = max(map(len, kinds), default=0)
    return tuple(kind[turn % len(kind)] for turn in range(most) for kind in kinds)


def _alone(check: HealthCheck, target: Target) -> Target:
    """The target as a node answers it by itself."""
    return _through(check, target) if check.of_edges else replace(target, port=check.port)


def _through(check: HealthCheck, target: Target) -> Target:
    """The target as an edge answers it."""
    url, port = urlsplit(target.url), 80
    if check.tls:
        url, port = url._replace(scheme="https"), 443
    if url.hostname in check.closed:
        return replace(target, url=url._replace(path=check.health).geturl(), port=port, method="HEAD")
    return replace(target, url=url.geturl(), port=port)
