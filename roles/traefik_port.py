"""Traefik's port on every node, closed to all but the edges where the edge asks for passwords or knows networks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from provision.inventory.settings import bind
from provision.resources import Command, File, Package, Resource, Template
from roles import edge
from roles._cluster import members

if TYPE_CHECKING:
    from provision.inventory import Host
    from roles._site import SiteSettings

SCRIPT = "/usr/local/sbin/traefik-port"
UNIT = "traefik-port.service"
CHAIN = "TRAEFIK-PORT"  # of the kernel's table raw
OPEN = f"""rules() {{ iptables -w -t raw "$@"; }}
rules -S PREROUTING | sed -n '/ {CHAIN}$/s/^-A/-D/p' | xargs -r -L 1 iptables -w -t raw
rules -F {CHAIN} && rules -X {CHAIN} && {{ systemctl -q disable {UNIT} || :; }}"""


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
        # by what the kernel has, not by the script: a run that was reverted may have taken that away
        yield Command(name="open Traefik's port", run=OPEN, unless=f"! iptables -w -t raw -S {CHAIN} >/dev/null 2>&1")
        yield File(path=unit, absent=True)
        yield File(path=SCRIPT, absent=True)
        return
    yield Package(names=("iptables",))
    content = Template("traefik_port/traefik-port.sh.j2", edges=[each.address for each in members(host, "edge")])
    yield File(path=SCRIPT, content=content, mode="0755")
    yield File(path=unit, content=Template("traefik_port/traefik-port.service.j2", script=SCRIPT))
    yield Command(
        name="close Traefik's port",
        run=f"systemctl daemon-reload && systemctl enable {UNIT} && {SCRIPT}",
        unless=f"{SCRIPT} check && systemctl -q is-enabled {UNIT}",  # also rules that somebody removed
    )
