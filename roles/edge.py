"""nginx or HAProxy in front of the site: *.od.com to Traefik on every node, :7443 to every API server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

import msgspec

from provision.inventory.changes import Free
from provision.inventory.types import (
    Duration,
    HeaderSize,
    Natural,
    OptionalPort,
    Positive,
    Sender,
    SiteName,
    Size,
    Timeout,
)
from provision.playbook.health_check import HealthCheck
from provision.resources import Resource
from provision.resources.configset.marks import mark
from roles import _edge_haproxy, _edge_nginx, _edge_tls, _htpasswd
from roles._cluster import members
from roles._edge_alike import OF_ONE_EDGE, check_alike
from roles._edge_sites import HEALTH, SiteOfEdge, Tls, served_names
from roles._fixed import edge_ports
from roles._ports import check_edge_port, check_site_ports, check_tls_port

if TYPE_CHECKING:
    from provision.inventory import Host, Inventory
    from roles._site import SiteSettings

PROGRAMS = {"nginx": _edge_nginx, "haproxy": _edge_haproxy}
ANSWER = _edge_nginx.ANSWER  # where either program says which set it runs with


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Variables of the edge role, all under `edge:`."""

    program: Free[Literal["nginx", "haproxy"]] = "nginx"  # docs/edge.md says which to choose
    worker_processes: Free[Positive] = 2  # of nginx; threads of HAProxy
    keepalive: Free[Positive] = 32  # idle connections to nodes: of each worker of nginx, to each node of HAProxy
    max_fails: Free[Natural] = 3  # connections refused or timed out within fail_timeout: the node is left out that long
    fail_timeout: Free[Timeout] = "10s"  # see max_fails; HAProxy asks a node once a second instead
    read_timeout: Free[Timeout] = "1h"  # silence that ends a request; a quiet WebSocket lives as long
    max_body: Free[Size] = "100m"  # nginx's own limit is 1 MB: uploads end in 413
    request_header: Free[HeaderSize] = "32k"  # the longest line of a request's header; a longer one ends in 400 or 414
    answer_header: Free[HeaderSize] = "64k"  # the longest header of an answer; a longer one is 502, for its site alone
    connections: Free[Positive] = 4096  # clients at one time; each needs 4 open files with nginx, 2 with HAProxy
    shutdown_timeout: Free[Timeout] = "10m"  # how long open connections keep the workers of an older configuration
    trusted: Free[tuple[Sender, ...]] = ()  # load balancers in front, whose X-Forwarded-* headers are believed
    tls: Free[Tls] = Tls()  # https for all names, on port 443
    sites: Free[dict[SiteName, SiteOfEdge]] = {}  # what differs for a name, written without the domain
    h2c_port: Free[OptionalPort] = 0  # a further port, where clients speak HTTP/2 without TLS; 0: none
    handover_wait: Free[Duration] = "30s"  # how long open connections keep site.vip at an edge that changes
    api_fail_timeout: Free[Timeout] = "5s"  # of nginx: the course's 30s keeps an API server out long after it is back
    api_idle_timeout: Free[Timeout] = "900s"  # silence that ends a connection to the API


def health_check(host: Host, site: SiteSettings, settings: Settings) -> HealthCheck:
    """What has to go on answering while a node is out: for plays with `drain: edge`."""
    closed = frozenset(f"{label}.{site.domain}" for label, its in settings.sites.items() if its.closed)
    return HealthCheck(
        f"http://traefik.{site.domain}/dashboard/",
        site.traefik_port,
        tls=bool(settings.tls.source),
        closed=closed,
        health=HEALTH,
        nodes_closed=bool(closed),
    )


def drain(node: Host) -> str:
    """What the templates write behind a node's address, so that a roll can leave it out."""
    return mark(node.name)


def prepare(inventory: Inventory, site: SiteSettings, settings: Settings) -> bool:
    """Makes the edge's own certificate where it is missing or due; whether it was. Raises InputError, FailedError."""
    return _edge_tls.prepare(_first(inventory), site, settings.tls, settings.sites)


def notes(inventory: Inventory, site: SiteSettings, settings: Settings) -> Iterator[str]:
    """The given certificates that near their end."""
    return _edge_tls.notes(_first(inventory), site, settings.tls, settings.sites)


def _first(inventory: Inventory) -> Host:
    """The first edge: its lines are those that an error names."""
    return next(iter(members(inventory.hosts[0], "edge")), inventory.hosts[0])


def edge(host: Host, site: SiteSettings, settings: Settings) -> Iterator[Resource]:
    """The program that clients and nodes connect to, the files that are ours as one set, running and enabled."""
    check_site_ports(host, site)
    if site.vip:
        check_alike(host, "edge", settings, OF_ONE_EDGE)
    check_edge_port(host, site, "h2c_port", settings.h2c_port)
    if settings.tls.source:
        check_tls_port(host, site, settings.h2c_port)
    yield from edge_ports(host, site)
    certificates = _edge_tls.files(host, site, settings.tls, settings.sites)
    program = PROGRAMS[settings.program]
    passwords = _htpasswd.files(host, site, settings.sites, program.users)
    yield from (*certificates.values(), *passwords.values())
    shared = {
        "masters": host.group("masters") if "masters" in host.inventory.groups else (),
        "nodes": host.group("nodes"),
        "drain": drain,
        "names": served_names(host, site, settings.tls, settings.sites),
        "certificates": certificates,
        "passwords": passwords,
        "health": HEALTH,
    }
    yield from program.resources(host, site, settings, shared)
