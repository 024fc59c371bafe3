"""Whether what a kernel holds is what the API knows. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from kubeproxy.cluster import Cluster, Port
from kubeproxy.rules import NODE, Address, Judged, Line
from provision.resources.kubernetes.proxy_rules import Mode


def judged(lines: Iterable[Line], cluster: Cluster, mode: Mode | None, own: Collection[str] = ()) -> tuple[Judged, ...]:
    """Each line with its state. mode: that the node's kube-proxy runs in; None when none runs and none is known.

    own: the node's addresses; in mode ipvs a node port is a virtual server on each of them.
    """
    return tuple(_judged(line, cluster, mode, own) for line in lines)


def _judged(line: Line, cluster: Cluster, mode: Mode | None, own: Collection[str]) -> Judged:
    if line.foreign:
        return Judged(line, "foreign", "not written by kube-proxy")
    if mode and line.mode != mode:
        return Judged(line, "stale", f"left by mode {line.mode}; {mode} is in use", line.service)
    if line.asked is None:
        return Judged(line, "stale", "nothing leads to it", line.service)
    port = _port(line.asked, cluster, own)
    why = _why_stale(line, port, cluster)
    service = line.service or (port.service if port else "")
    if line.weight == 0:
        return Judged(line, "draining", f"weight 0: {why}" if why else "weight 0", service)
    return Judged(line, "stale" if why else "known", why, service)


def _port(asked: Address, cluster: Cluster, own: Collection[str]) -> Port | None:
    found = cluster.by_address.get(asked)
    if found is None and asked.ip in own:
        found = cluster.by_address.get(Address(NODE, asked.protocol, asked.port))
    return found


def _why_stale(line: Line, port: Port | None, cluster: Cluster) -> str:
    """Why the API does not know the line; '' when it does."""
    if port and (line.to is None or line.to in port.endpoints):
        return ""
    if port and line.to:
        return f"{line.to.bare} is no endpoint of {port.service}"
    name = line.service.partition(":")[0]
    if not name:
        return "no Service is asked for there"
    return f"Service {name} is gone" if name not in cluster.services else f"{line.service} is not asked for there"
