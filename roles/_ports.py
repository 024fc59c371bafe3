"""Ports that programs of the site listen on, and the settings that must not take one of them away."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from provision.errors import InputError
from roles._cluster import members
from roles._networks import check_node_ports

if TYPE_CHECKING:
    from provision.inventory import Host
    from roles._site import SiteSettings

HTTPS = 443
# port, whose it is, the group on whose hosts it is listened on
PROGRAMS = (
    (53, "BIND", "dns"),
    (80, "the edge", "edge"),
    (1081, "the edge's nginx", "edge"),
    (1082, "the edge's nginx", "edge"),
    (2379, "etcd", "etcd"),
    (2380, "etcd", "etcd"),
    (2381, "etcd", "etcd"),
    (6443, "the API server", "masters"),
    (10248, "kubelet's healthz", "nodes"),
    (10249, "kube-proxy's metrics", "nodes"),
    (10249, "kube-proxy's metrics", "proxy_only"),
    (10250, "kubelet", "nodes"),
    (10256, "kube-proxy's healthz", "nodes"),
    (10256, "kube-proxy's healthz", "proxy_only"),
    (10257, "the controller manager", "masters"),
    (10259, "the scheduler", "masters"),
)
OLD = {8080: "the API server of old", 10255: "kubelet of old"}


def check_site_ports(host: Host, site: SiteSettings) -> None:
    """Refuse a site.traefik_port or site.api_port that another program of the same hosts listens on.

    A pod's host port is a rule of the kernel that no socket hears of: Traefik at 10250 cuts the API off from kubelet.
    """
    api, traefik = (site.api_port, "the edge's way to the API server"), (site.traefik_port, "Traefik")
    _check(host, "site.traefik_port", site.traefik_port, _listening(host, "nodes", {"edge": api}))
    _check(host, "site.api_port", site.api_port, _listening(host, "edge", {"nodes": traefik}))


def check_edge_port(host: Host, site: SiteSettings, name: str, port: int) -> None:
    """Refuse a port of the edge role's that another program of the edges listens on."""
    chosen = {"edge": (site.api_port, "the edge's way to the API server"), "nodes": (site.traefik_port, "Traefik")}
    _check(host, f"edge.{name}", port, _listening(host, "edge", chosen))


def check_tls_port(host: Host, site: SiteSettings, h2c_port: int) -> None:
    """Refuse TLS where another program of the edges listens on its port."""
    chosen = {"edge": (site.api_port, "site.api_port"), "nodes": (site.traefik_port, "site.traefik_port")}
    whose = {**_listening(host, "edge", chosen), h2c_port: "edge.h2c_port"}.get(HTTPS)
    if whose:
        raise InputError(
            f"edge.tls needs port {HTTPS}, which another program of the edge has",
            line=host.origin("edge", "tls", "source"),
            found=f"It belongs to {whose}",
            do="Give that another port, or leave edge.tls.source out",
        )


def check_node_port(host: Host, site: SiteSettings, port: int, setting: Iterable[str]) -> None:
    """Refuse a node port that the API server would refuse, or that takes a host's own port away.

    kube-proxy listens on no node port and rewrites packets before any socket sees them, so nothing tells of a clash:
    a node port 6443 cuts every node off from the API server (kubernetes/kubernetes#76892).
    """
    line, name = host.origin(*setting), ".".join(setting)
    allowed = check_node_ports(host, site)
    if port not in allowed:
        raise InputError(
            f"{name} {port} is not a node port of this site",
            line=line,
            found=f"The API server allows site.node_ports {site.node_ports}",
            do="Choose a port in that range, or widen site.node_ports",
        )
    taken = {number: whose for number, whose, _ in PROGRAMS} | OLD | {host.port: "sshd"}
    taken |= {site.api_port: "the edge's way to the API server", site.traefik_port: "Traefik"}
    if port in taken:
        raise InputError(
            f"{name} {port} is a port of the nodes themselves",
            line=line,
            found=f"It belongs to {taken[port]}, which no one would reach any more",
            do="Choose another, such as the course's 8000",
        )


def _listening(host: Host, group: str, chosen: Mapping[str, tuple[int, str]]) -> Mapping[int, str]:
    """Ports of the hosts of a group, and whose they are. chosen: by group, a port that is a setting as well."""
    hosts = members(host, group)
    groups = {each for member in hosts for each in member.groups}
    known = {port: whose for port, whose, where in PROGRAMS if where in groups}
    return known | {member.port: "sshd" for member in hosts} | dict(chosen[each] for each in groups & set(chosen))


def _check(host: Host, name: str, port: int, taken: Mapping[int, str]) -> None:
    if port in taken:
        raise InputError(
            f"{name} {port} is the port of another program",
            line=host.origin(*name.split(".")),
            found=f"On the same hosts it belongs to {taken[port]}",
            do="Choose another port",
        )
