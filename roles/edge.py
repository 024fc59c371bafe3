"""nginx in front of the site: *.od.com to Traefik on every node, :7443 to every API server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from provision.inventory.changes import Free
from provision.inventory.types import Duration, Natural, Positive, Sender, Size
from provision.playbook.health_check import HealthCheck
from provision.resources import ConfigSet, Nginx, Package, Resource, Service, Template
from provision.resources.configset.marks import mark
from roles._fixed import edge_ports
from roles._ports import check_site_ports

if TYPE_CHECKING:
    from provision.inventory import Host
    from roles._site import SiteSettings

# of this host alone, and no port more: whoever listens on *:80 has all of 127.0.0.0/8 too
ANSWER = "127.0.0.2:80"
HOP, LAST_HOP = "127.0.0.2:1081", "127.0.0.2:1082"  # from nginx's http part to its stream part
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Variables of the edge role, all under `edge:`."""

    worker_processes: Free[Positive] = 2  # of nginx
    keepalive: Free[Positive] = 32  # idle connections that each worker keeps to the nodes
    max_fails: Free[Natural] = 3  # connections refused or timed out within fail_timeout: the node is left out that long
    fail_timeout: Free[Duration] = "10s"  # see max_fails
    read_timeout: Free[Duration] = "1h"  # silence that ends a request; a quiet WebSocket lives as long
    max_body: Free[Size] = "100m"  # nginx's own limit is 1 MB: uploads end in 413
    request_header: Free[Size] = "32k"  # the longest line of a request's header; a longer one ends in 400 or 414
    answer_header: Free[Size] = "64k"  # the longest header of an answer; a longer one ends in 502, for its site alone
    connections: Free[Positive] = 4096  # clients at one time; the hard limit of open files has to allow 4 files for each
    shutdown_timeout: Free[Duration] = "10m"  # how long open connections keep the workers of an older configuration
    trusted: Free[tuple[Sender, ...]] = ()  # load balancers in front, whose X-Forwarded-* headers are believed
    api_fail_timeout: Free[Duration] = "5s"  # the course's 30s keeps an API server out long after it is back
    api_idle_timeout: Free[Duration] = "900s"  # silence that ends a connection to the API


def health_check(site: SiteSettings, settings: Settings) -> HealthCheck:
    """What has to go on answering while a node is out: for plays with `drain: edge`."""
    return HealthCheck(f"http://traefik.{site.domain}/dashboard/", site.traefik_port)


def drain(node: Host) -> str:
    """What the templates write behind a node's address, so that a roll can leave it out."""
    return mark(node.name)


def octets(size: str) -> int:
    """How many bytes a size of nginx's is: 65536 for 64k."""
    digits = size.rstrip("kKmMgG")
    return int(digits) * _UNITS[size[len(digits) :].lower()]


def open_files(settings: Settings) -> int:
    """How many files a worker of nginx may have open: for each client four, and its own."""
    return 4 * settings.connections + 256


def edge(host: Host, site: SiteSettings, settings: Settings) -> Iterator[Resource]:
    """nginx, the files that are ours as one set, running and enabled."""
    check_site_ports(host, site)
    yield from edge_ports(host, site)
    yield Package(names=("nginx", "libnginx-mod-stream"))
    masters = host.group("masters") if "masters" in host.inventory.groups else ()
    nginx, hops = Nginx(answer=ANSWER), {"hop": HOP, "last_hop": LAST_HOP}
    to_nodes = {"masters": masters, "nodes": host.group("nodes"), "drain": drain, "files": open_files(settings)}
    header = octets(settings.answer_header) + 4096  # nginx keeps what it has begun to read beside it
    yield ConfigSet(
        directory="/etc/nginx",
        files={
            "nginx.conf": Template("edge/nginx.conf.j2", **to_nodes, **hops),
            f"conf.d/{site.domain}.conf": Template("edge/site.conf.j2", header=header, **hops),
        },
        activation=nginx,
    )
    yield Service(name=nginx.service, executable=nginx.executable, pidfile=nginx.pidfile, renew=nginx.renew())
