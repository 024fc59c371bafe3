"""What must keep responding while a play changes nodes: plain data that roles make."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class HealthCheck:
    """What must keep responding with 200, through the edge and through each node alone.

    port: where nodes take what the edge sends. It is defined by `health_check` of the role that a play's `drain` names.
    node_ports: ports at which each node answers by itself, asked of nodes that are not drained; defined by `node_ports`
    of roles.
    """

    url: str
    port: int
    node_ports: tuple[int, ...] = ()
