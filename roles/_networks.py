"""The site's networks, checked before any host is asked: addresses, ranges, and who overlaps whom."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Network
from itertools import combinations
from typing import TYPE_CHECKING

from provision.errors import InputError
from roles._cluster import api_service

if TYPE_CHECKING:
    from provision.inventory import Host
    from roles._site import SiteSettings

_RANGE = re.compile(r"(\d+)\s*[-:.,/]+\s*(\d+)")


def check_networks(host: Host, site: SiteSettings) -> None:
    """Raises InputError for networks that can't work together: what was written, where, and what was probably meant."""
    networks = {name: _network(host, name, getattr(site, name)) for name in ("cluster_cidr", "service_cidr")}
    for (one, first), (other, second) in combinations(networks.items(), 2):
        if first.overlaps(second):
            raise _wrong(host, other, f"{second} overlaps {one} ({first})", "Give pods and services a network each")
    for name, network in networks.items():
        _check_hosts(host, name, network, site)
    check_node_ports(host, site)
    _check_dns(host, site, networks["service_cidr"])


def check_node_ports(host: Host, site: SiteSettings) -> range:
    """The ports of services of type NodePort. Raises InputError for a text that means no range."""
    text = str(site.node_ports)
    match = re.fullmatch(r"(\d+)-(\d+)", text)
    if match and 0 < int(match[1]) <= int(match[2]) < 65536:
        return range(int(match[1]), int(match[2]) + 1)
    near = _RANGE.fullmatch(text.strip())
    low, high = sorted((int(near[1]), int(near[2]))) if near else (0, 0)
    meant = f"Did you mean {low}-{high}?" if 0 < low <= high < 65536 else "Write first-last, like 3000-29999"
    raise _wrong(host, "node_ports", f"{text!r} is not a range of ports", meant)


def _network(host: Host, name: str, text: str) -> IPv4Network:
    try:
        return IPv4Network(text)
    except ValueError:
        pass
    try:
        meant = f"Did you mean {IPv4Network(text, strict=False)}?"
    except ValueError:
        meant = "Write an IPv4 network, like 172.7.0.0/16"
    raise _wrong(host, name, f"{text!r} is not a network", meant)


def _check_hosts(host: Host, name: str, network: IPv4Network, site: SiteSettings) -> None:
    """Pods' and services' addresses never leave the cluster: a host with one of them is out of its nodes' reach."""
    for other in host.inventory.hosts:
        try:
            address = IPv4Address(other.address)
        except ValueError:
            continue
        around = IPv4Network(site.host_cidr) if site.host_cidr else IPv4Network(f"{address}/24", strict=False)
        if network.overlaps(around):
            raise _wrong(
                host,
                name,
                f"{network} overlaps the hosts' network {around} ({other.name} is {address})",
                "Choose a private network that nothing else uses, or say with site.host_cidr how big the hosts' one is",
            )


def _check_dns(host: Host, site: SiteSettings, services: IPv4Network) -> None:
    meant = f"The course's place is {services[2]}"
    try:
        address = IPv4Address(site.cluster_dns)
    except ValueError:
        raise _wrong(host, "cluster_dns", f"{site.cluster_dns!r} is not an address", meant) from None
    if address not in services:
        raise _wrong(host, "cluster_dns", f"{address} is not in service_cidr {services}", meant)
    if address == api_service(site):
        raise _wrong(host, "cluster_dns", f"{address} is always the API server's own service", meant)


def _wrong(host: Host, name: str, found: str, do: str) -> InputError:
    line = host.origin("site", name) or host.origin("site")
    return InputError(f"site.{name} can't be right", line=line, found=found, do=do)
