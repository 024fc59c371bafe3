"""What must keep responding while a play changes nodes: plain data that roles make."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Application:
    """What must keep its status, through the edge and through each node alone, where it had it before the change."""

    name: str
    url: str
    expect: int = 200


@dataclass(frozen=True)
class HealthCheck:
    """What must keep responding with 200, through the edge and through each node alone.

    tls: the edge is asked by https, whatever its certificate says; a node never is. closed: names that not everybody
    may ask: their `health` path is asked by HEAD instead, which gives their status to everybody. nodes_closed: nodes
    take the edges' requests alone.
    port: where nodes take what the edge sends. It is defined by `health_check` of the role that a play's `drain` names.
    node_ports: ports at which each node answers by itself, asked of nodes that are not drained; defined by `node_ports`
    of roles. applications: what users deployed; defined by `applications` of roles.
    of_edges: the nodes are edges themselves, left out of an address: they are asked as edges are, and nothing of
    Kubernetes answers there.
    """

    url: str
    port: int
    node_ports: tuple[int, ...] = ()
    applications: tuple[Application, ...] = ()
    tls: bool = False
    closed: frozenset[str] = frozenset()
    health: str = ""
    nodes_closed: bool = False
    of_edges: bool = False
