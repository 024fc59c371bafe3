"""nginx in front of the site: *.od.com to Traefik on every node, :7443 to every API server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from provision.inventory.changes import Free
from provision.inventory.types import Duration, Natural, Positive, Size
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


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Variables of the edge role, all under `edge:`."""

    worker_processes: Free[Positive] = 2  # of nginx
    keepalive: Free[Positive] = 32  # idle connections that each worker keeps to the nodes
    max_fails: Free[Natural] = 3  # failures within fail_timeout that make a node be left out for fail_timeout
    fail_timeout: Free[Duration] = "10s"  # see max_fails
    read_timeout: Free[Duration] = "1h"  # silence that ends a request; a quiet WebSocket lives as long
    max_body: Free[Size] = "100m"  # nginx's own limit is 1 MB: uploads end in 413
    api_fail_timeout: Free[Duration] = "5s"  # the course's 30s keeps an API server out long after it is back
    api_idle_timeout: Free[Duration] = "900s"  # silence that ends a connection to the API


def health_check(site: SiteSettings, settings: Settings) -> HealthCheck:
    """What has to go on answering while a node is out: for plays with `drain: edge`."""
    return HealthCheck(f"http://traefik.{site.domain}/dashboard/", site.traefik_port)


def drain(node: Host) -> str:
    """What the templates write behind a node's address, so that a roll can leave it out."""
    return mark(node.name)


def edge(host: Host, site: SiteSettings, settings: Settings) -> Iterator[Resource]:
    """nginx, the files that are ours as one set, running and enabled."""
    check_site_ports(host, site)
    yield from edge_ports(host, site)
    yield Package(names=("nginx", "libnginx-mod-stream"))
    masters = host.group("masters") if "masters" in host.inventory.groups else ()
    nginx = Nginx(answer=ANSWER)
    yield ConfigSet(
        directory="/etc/nginx",
        files={
            "nginx.conf": Template("edge/nginx.conf.j2", masters=masters, drain=drain),
            f"conf.d/{site.domain}.conf": Template("edge/site.conf.j2", nodes=host.group("nodes"), drain=drain),
        },
        activation=nginx,
    )
    yield Service(name=nginx.service, executable=nginx.executable, pidfile=nginx.pidfile, renew=nginx.renew())
