"""Traefik's port on every node, closed to all but the edges where the edge asks for passwords or knows networks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from provision.inventory.settings import bind
from provision.resources import Command, File, Package, Resource, Service, Template
from roles import edge
from roles._cluster import members

if TYPE_CHECKING:
    from provision.inventory import Host
    from roles._site import SiteSettings

SCRIPT = "/usr/local/sbin/traefik-port"
UNIT = "traefik-port.service"


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Variables of the traefik_port role, all under `traefik_port:`. It has none: `edge.sites` says what it does."""


def closed(host: Host) -> bool:
    """Whether a name of the site asks for a password, or knows networks: nobody may go past the edge then."""
    edges = members(host, "edge")
    return bool(edges) and any(its.closed for its in bind(edge.Settings, edges[0], "edge").sites.values())


def reachable(host: Host) -> tuple[Host, ...]:
    """The nodes whose Traefik takes requests of this host: all of them, or no other than itself."""
    nodes = members(host, "nodes")
    if not closed(host) or host in members(host, "edge"):
        return nodes
    return tuple(node for node in nodes if node == host)


def traefik_port(host: Host, site: SiteSettings, settings: Settings) -> Iterator[Resource]:
    """A rule that drops what comes to Traefik's port from elsewhere, also after a reboot; or no rule, and no file."""
    unit = f"/etc/systemd/system/{UNIT}"
    if not closed(host):
        yield Command(
            name="open Traefik's port", run=f"{SCRIPT} open && systemctl disable {UNIT}", unless=f"! test -e {SCRIPT}"
        )
        yield File(path=unit, absent=True)
        yield File(path=SCRIPT, absent=True)
        return
    yield Package(names=("iptables",))
    content = Template("traefik_port/traefik-port.sh.j2", edges=[each.address for each in members(host, "edge")])
    script = File(path=SCRIPT, content=content, mode="0755")
    yield script
    started = File(path=unit, content=Template("traefik_port/traefik-port.service.j2", script=SCRIPT))
    yield started
    yield Service(name=UNIT, restart_on=(script, started))
    yield Command(name="close Traefik's port", run=SCRIPT, unless=f"{SCRIPT} check")  # rules that somebody removed
