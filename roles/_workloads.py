"""What roles share that put something into the cluster."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from provision.errors import InputError
from provision.spelling import nearest
from roles._cluster import members
from roles._networks import check_node_ports

if TYPE_CHECKING:
    from provision.inventory import Host
    from roles._site import SiteSettings


def image(host: Host, site: SiteSettings, name: str) -> str:
    """The image of that name in site.images, as manifests write it. Raises InputError when the site doesn't say."""
    if name in site.images:
        return site.images[name].name
    near = nearest(name, site.images)
    raise InputError(
        f"site.images has no {name!r}: nothing says what its pods run",
        line=host.origin("site", "images"),
        do=f"Is {near!r} meant?" if near else f"Set site.images.{name}.name",
    )


def routed(host: Host, site: SiteSettings, name: str) -> str:
    """sh that succeeds once no node's Traefik lacks the way to NAME.DOMAIN.

    Traefik takes up what changed every 2 s at most (providersThrottleDuration): pods that are ready are not yet pods
    that are reached. A node on which nothing listens is not this one's to judge.
    """
    url = f"{name}.{site.domain}"
    ask = f"curl -s -m 2 -o /dev/null -w '%{{http_code}} for {url} from %{{url_effective}}\\n' -H 'Host: {url}'"
    nodes = members(host, "nodes")
    asked = "; ".join(f"{ask} http://{node.address}:{site.traefik_port}/" for node in nodes)
    return f"! {{ {asked}; }} | grep -E '^(404|502|503) '"


def host_ports(host: Host, site: SiteSettings) -> dict[int, str]:
    """Ports that nodes listen on themselves, and whose they are."""
    return {
        host.port: "sshd",
        53: "name servers",
        2379: "etcd",
        2380: "etcd",
        6443: "the API server",
        8080: "the API server of old",
        10248: "kubelet's healthz",
        10249: "kube-proxy's metrics",
        10250: "kubelet",
        10255: "kubelet of old",
        10256: "kube-proxy's healthz",
        10257: "the controller manager",
        10259: "the scheduler",
        site.api_port: "the edge's way to the API server",
        site.traefik_port: "Traefik",
    }


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
    taken = host_ports(host, site)
    if port in taken:
        raise InputError(
            f"{name} {port} is a port of the nodes themselves",
            line=line,
            found=f"It belongs to {taken[port]}, which no one would reach any more",
            do="Choose another, such as the course's 8000",
        )
