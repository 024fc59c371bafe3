"""keepalived: the edges share site.vip. One of them holds it, and another one takes it when that one is gone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network
from typing import TYPE_CHECKING

import msgspec

from provision.errors import InputError
from provision.inventory.changes import Free
from provision.inventory.settings import bind
from provision.inventory.types import RouterNumber
from provision.playbook.health_check import HealthCheck
from provision.resources import (
    Command,
    ConfigSet,
    Directory,
    File,
    Keepalived,
    Package,
    Resource,
    Service,
    Template,
    VirtualAddress,
)
from roles import edge
from roles._amounts import seconds
from roles._cluster import address_of, members, shared_address
from roles._edge_alike import check_alike
from roles._site import SiteSettings

if TYPE_CHECKING:
    from provision.inventory import Host

DROP_IN = "/etc/systemd/system/keepalived.service.d"
HANDOVER = "/run/keepalived.handover"  # tracked: anything but 0 gives the address away
STATE = "/run/keepalived.state"  # MASTER, BACKUP or FAULT
RUNS = "/run/keepalived.runs"  # the set that it runs, written once a second
FIRST, STEP = 250, 10  # priorities: apart, so that two edges don't take the address at once; 255 is for an owner


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Variables of the keepalived role, all under `keepalived:`."""

    router: Free[RouterNumber] = 0  # the virtual router's number, alone on its network; 0: the last octet of site.vip


def keepalived(host: Host, site: SiteSettings, settings: Settings) -> Iterator[Resource]:
    """keepalived on every edge, where several share an address: else there is nothing to do."""
    _check(host, site)
    if site.vip:
        check_alike(host, "keepalived", settings)
    if not shared_address(host, site):
        return
    edges = members(host, "edge")
    yield Package(names=("keepalived", "nftables"))  # nft holds new connections back for a moment, in a hand-over
    yield Directory(path=DROP_IN)
    unit = File(path=f"{DROP_IN}/provision.conf", content=Template("keepalived/service.conf.j2"))
    yield unit
    yield Command(name="keepalived drop-in", run="systemctl daemon-reload", on_change=(unit,))
    main = Template(
        "keepalived/keepalived.conf.j2",
        answer=edge.ANSWER,
        handover=HANDOVER,
        router=settings.router or int(site.vip.rpartition(".")[2]),
        priority=max(FIRST - STEP * edges.index(host), 1),
        peers=[each for each in edges if each != host],
    )
    yield ConfigSet(
        directory="/etc/keepalived",
        files={
            "keepalived.conf": main,
            "answers.sh": Template("keepalived/answers.sh.j2", answer=edge.ANSWER, runs=RUNS),
            "state.sh": Template("keepalived/state.sh.j2", state=STATE),
        },
        activation=Keepalived(own=str(address_of(host)), runs=RUNS),
    )
    yield Service(name="keepalived", executable="/usr/sbin/keepalived")
    of_edge = bind(edge.Settings, host, "edge")
    yield VirtualAddress(
        address=site.vip,
        host=host.name,
        handover=HANDOVER,
        state=STATE,
        wait=seconds(of_edge.handover_wait),
        lasting_port=site.api_port,
        log=edge.PROGRAMS[of_edge.program].PROGRAM.error_log,
    )


def health_check(host: Host, site: SiteSettings, settings: Settings) -> HealthCheck | None:
    """What has to go on answering at the address while an edge is out of it: for the play with `drain: keepalived`."""
    if not site.vip or site.vip_elsewhere:
        return None
    return replace(edge.health_check(host, site, bind(edge.Settings, host, "edge")), port=80, of_edges=True)


def _check(host: Host, site: SiteSettings) -> None:
    """Raises InputError for an address that nobody can hold."""
    edges, owner = members(host, "edge"), _owner(host, site.vip)
    if not site.vip or site.vip_elsewhere or (owner and len(edges) == 1):
        return
    line = host.origin("site", "vip") or host.origin("site")
    if len(edges) == 1:
        raise InputError(
            f"nobody can hold site.vip {site.vip}",
            line=line,
            found=f"The group edge has one host, {host.name}, and its own address is {host.address}",
            do="Put a second host into the group edge, or leave site.vip out; or set site.vip_elsewhere: true, if "
            "something outside the inventory holds it",
        )
    if owner:
        raise InputError(
            f"site.vip {site.vip} is {owner}'s own address",
            line=line,
            found=f"{len(edges)} edges share site.vip: it moves from one to another, and a host's own address can't",
            do="Choose an address of the edges' network that no host has, such as the course's 10.4.7.10",
        )
    for each in edges:
        _check_same(host, site, each)
        around = IPv4Network(site.host_cidr or f"{address_of(each)}/24", strict=False)
        if IPv4Address(site.vip) not in around or site.vip in (
            str(around.network_address),
            str(around.broadcast_address),
        ):
            raise InputError(
                f"site.vip {site.vip} is no address in the network of {each.name}",
                line=line,
                found=f"{each.name} is {each.address}, in {around}: nobody else there would find the address",
                do="Choose an address of that network, or say with site.host_cidr how big it is",
            )


def _check_same(host: Host, site: SiteSettings, each: Host) -> None:
    """Raises InputError where another edge has another address, or would not share it."""
    theirs = bind(SiteSettings, each, "site")
    for name, mine, other in (
        ("vip", site.vip, theirs.vip or "not set"),
        ("vip_elsewhere", str(site.vip_elsewhere).lower(), str(theirs.vip_elsewhere).lower()),
    ):
        if mine != other:
            raise InputError(
                f"{host.name} and {each.name} share one address, and site.{name} is {mine} and {other}",
                line=host.origin("site", name) or host.origin("site"),
                found=f"For {each.name} it is set in {each.origin('site', name) or 'no file'}",
                do="Write it once, in group_vars/all",
            )


def _owner(host: Host, address: str) -> str:
    """The host of the inventory that has it as its own; '' for none."""
    return next((each.name for each in host.inventory.hosts if each.address == address), "")
