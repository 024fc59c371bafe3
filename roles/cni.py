"""Pods' network: a bridge on each node, and routes between the nodes, as the course's host-gw has them."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from provision.errors import InputError
from provision.inventory.changes import Once, Rolled
from provision.inventory.settings import bind
from provision.inventory.types import InterfaceName, OptionalNetwork, PackageName
from provision.resources import (
    After,
    Command,
    Directory,
    File,
    FixedSetting,
    Package,
    Resource,
    Service,
    Sysctl,
    Template,
)
from roles._cluster import address_of
from roles._fixed import field, in_file

if TYPE_CHECKING:
    from provision.inventory import Host
    from roles._site import SiteSettings

SCRIPT = "/usr/local/sbin/pod-network"
UNIT = "pod-network.service"
CONFIG = "/etc/cni/net.d/10-hdss7.conflist"


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Variables of the cni role, all under `cni:`."""

    packages: Rolled[tuple[PackageName, ...]] = ("containernetworking-plugins", "iptables")  # what networks need
    subnet: Once[OptionalNetwork] = ""  # of this node's pods; '': the /24 of site.cluster_cidr with its last number
    bridge: Once[InterfaceName] = "cni0"  # what a node's pods are connected to


def cni(host: Host, site: SiteSettings, settings: Settings) -> Iterator[Resource]:
    """bridge, host-local and portmap; routes to the other nodes' pods and the way out, also after a reboot.

    A host that is no node runs no pods: it gets the routes alone.
    """
    if not site.managed:
        return
    subnets = pod_subnets(host, site)
    others = {address_of(node): subnet for node, subnet in subnets.items() if node != host}
    known = {"subnet": subnets.get(host), "routes": others}
    if host in subnets:
        yield from _fixed(host, site, subnets[host], settings)
        yield Package(names=settings.packages)
    yield Sysctl(name="net.ipv4.ip_forward", value="1")
    script = File(path=SCRIPT, content=Template("cni/pod-network.sh.j2", **known), mode="0755")
    yield script
    unit = File(path=f"/etc/systemd/system/{UNIT}", content=Template("cni/pod-network.service.j2", script=SCRIPT))
    yield unit
    yield Service(name=UNIT, restart_on=(script, unit))
    yield Command(name="pod network", run=SCRIPT, unless=f"{SCRIPT} check")  # rules and routes that somebody removed
    if host in subnets:
        yield Directory(path="/etc/cni")
        yield Directory(path="/etc/cni/net.d")
        yield File(path=CONFIG, content=Template("cni/network.conflist.j2", **known))


def _fixed(host: Host, site: SiteSettings, subnet: IPv4Network, settings: Settings) -> Iterator[FixedSetting]:
    """What the node's pods were connected with: another bridge or network is none of theirs."""
    yield in_file(host, "site.cluster_cidr", site.cluster_cidr, SCRIPT, After("^.* ! -d '?", "[^' ]+"))
    yield in_file(host, "cni.bridge", settings.bridge, CONFIG, field("bridge"))
    yield in_file(host, "cni.subnet", subnet, CONFIG, After('"subnet": '))


def pod_subnets(host: Host, site: SiteSettings) -> dict[Host, IPv4Network]:
    """Every node's pod network. Raises InputError when two nodes would share one, or one lies outside cluster_cidr."""
    subnets: dict[Host, IPv4Network] = {}
    for node in host.group("nodes"):
        subnet = _subnet(node, site)
        twin = next((other for other, taken in subnets.items() if taken.overlaps(subnet)), None)
        if twin and twin.address == node.address:
            raise InputError(
                f"{twin.name} and {node.name} have one and the same address",
                host=node.name,
                line=node.origin("ansible_host"),
                found=f"ansible_host is {node.address} for both",
                do="Give each host its own",
            )
        if twin:
            raise _wrong(node, f"its pods would share {subnet} with those of {twin.name}")
        subnets[node] = subnet
    return subnets


def _subnet(node: Host, site: SiteSettings) -> IPv4Network:
    cluster = IPv4Network(site.cluster_cidr)
    text = bind(Settings, node, "cni").subnet
    if not text:
        # 172.7.21.0/24 on 10.4.7.21: one sees at once which host a pod is on
        text = f"{cluster.network_address + int(address_of(node)) % 256 * 256}/24"
    try:
        subnet = IPv4Network(text)
    except ValueError as error:
        raise _wrong(node, f"{text!r} is not a network: {error}") from None
    if not subnet.subnet_of(cluster):
        raise _wrong(node, f"{subnet} is not inside site.cluster_cidr {cluster}", _room(cluster))
    return subnet


def _room(cluster: IPv4Network) -> str:
    """What to do so that every node has a network of its own in the cluster's."""
    if cluster.prefixlen > 20:
        return (
            "Give site.cluster_cidr room for a /24 of each node, such as 172.7.0.0/16, or set cni.subnet for each host"
        )
    example = next(islice(cluster.subnets(new_prefix=24), 1, None))
    return f"Give the host a network of its own inside site.cluster_cidr: cni: {{subnet: {example}}}"


def _wrong(node: Host, found: str, do: str = "") -> InputError:
    return InputError(
        "the node's pod network can't be right",
        host=node.name,
        line=node.origin("cni", "subnet") or node.origin("ansible_host"),
        found=found,
        do=do or "Give the host a network of its own inside site.cluster_cidr: cni: {subnet: 172.7.121.0/24}",
    )
