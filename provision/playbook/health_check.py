"""What has to go on answering while a play changes nodes: plain data that roles make."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class HealthCheck:
    """What has to go on answering 200, through the edge and through each node alone.

    port: where nodes take what the edge sends. The role that a play's `drain` names says it, by its `health_check`.
    node_ports: what every node answers by itself, asked of those that are not out; said by roles, by `node_ports`.
    """

    url: str
    port: int
    node_ports: tuple[int, ...] = ()
