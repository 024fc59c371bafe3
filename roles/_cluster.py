"""What the roles of the cluster agree on: where things are, who is who, and how the API is reached."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import TYPE_CHECKING

from provision.errors import InputError
from provision.resources import AddressHeld

if TYPE_CHECKING:
    from provision.inventory import Host
    from roles._site import Binary, SiteSettings

# The course's layout: a link to the version that the host runs. What people type goes this way; programs are started
# from the version's own folder (see `Folders`), so that a link that moves takes nothing away from one that runs.
LINK = "/opt/kubernetes"
BIN = f"{LINK}/server/bin"
CERT = f"{BIN}/cert"
CONF = f"{BIN}/conf"
LOGS = "/data/logs/kubernetes"
API_PORT = 6443  # of every API server; clients go through the edge, to site.api_port
# By its own path, with a cache of its own: another kubectl may stand earlier on PATH, and root's home is not ours.
KUBECTL = f"{BIN}/kubectl --kubeconfig={CONF}/admin.kubeconfig --cache-dir=/var/cache/kubectl"


@dataclass(frozen=True)
class Folders:
    """Where one version of Kubernetes lies on a host, with all that it reads."""

    root: str

    @property
    def bin(self) -> str:
        """Programs and their start scripts."""
        return f"{self.root}/server/bin"

    @property
    def cert(self) -> str:
        """Certificates and keys."""
        return f"{self.bin}/cert"

    @property
    def conf(self) -> str:
        """Kubeconfigs and configurations."""
        return f"{self.bin}/conf"


def folders(site: SiteSettings) -> Folders:
    """Those of the version that is declared; of a cluster that somebody else installed, where the course has them."""
    return Folders(f"{LINK}-v{site.kubernetes}" if site.managed else LINK)


def members(host: Host, group: str) -> tuple[Host, ...]:
    """The hosts of a group, in inventory order; () when the inventory has no such group."""
    return host.group(group) if group in host.inventory.groups else ()


def entrance(host: Host, site: SiteSettings) -> str:
    """Where *.od.com and the API are asked for: site.vip, or the first edge's address."""
    edges = members(host, "edge")
    if not site.vip and not edges:
        raise InputError(
            "nothing says where the API server is reached",
            found="site.vip is not set, and the inventory has no group edge",
            do="Set site.vip in group_vars/all.yml, or put a host into the group edge",
        )
    return site.vip or edges[0].address


def shared_address(host: Host, site: SiteSettings) -> str:
    """site.vip, where several edges share it (role keepalived); '' where it is one host's, or held elsewhere."""
    return site.vip if len(members(host, "edge")) > 1 and not site.vip_elsewhere else ""


def held(host: Host, site: SiteSettings, before: str) -> Iterator[AddressHeld]:
    """That some edge holds the shared address, before these are led to it."""
    if address := shared_address(host, site):
        yield AddressHeld(
            address=address, before=before, do="Look at keepalived on the edges (journalctl -u keepalived), then deploy"
        )


def api_url(host: Host, site: SiteSettings) -> str:
    """The API server as every client but the masters' own reaches it: through the edge, to whichever master lives."""
    return f"https://{entrance(host, site)}:{site.api_port}"


def is_ipv4(text: str) -> bool:
    """Whether it is an IPv4 address, and no name."""
    try:
        return bool(IPv4Address(text))
    except ValueError:
        return False


def address_of(host: Host) -> IPv4Address:
    """The host's address as a number. Raises InputError for a name: pods' routes and programs' names are made of it."""
    if is_ipv4(host.address):
        return IPv4Address(host.address)
    raise InputError(
        "the host of a cluster needs an IPv4 address",
        host=host.name,
        line=host.origin("ansible_host"),
        found=f"its address is {host.address!r}",
        do="Set ansible_host to its IPv4 address",
    )


def numbered(name: str, host: Host) -> str:
    """A program's name under supervisord, with the host's last two octets as the course has it: etcd-server-7-21."""
    octets = str(address_of(host)).split(".")
    return f"{name}-{octets[2]}-{octets[3]}"


def node_name(host: Host, site: SiteSettings) -> str:
    """The host's name in the cluster: hdss7-21.host.com."""
    name = re.sub(r"[^a-z0-9.-]", "-", host.name.lower())
    return name if "." in name else f"{name}.{site.host_domain}"


def api_service(site: SiteSettings) -> IPv4Address:
    """The address of the service `kubernetes`: the first of service_cidr."""
    return IPv4Network(site.service_cidr)[1]


def binary(site: SiteSettings, name: str) -> Binary:
    """Where hosts fetch a program. Raises InputError when the site doesn't say."""
    if name in site.binaries:
        return site.binaries[name]
    raise InputError(
        f"site.binaries has no {name!r}: nothing says where hosts fetch it",
        do=f"Set site.binaries.{name}.url and .sha256 (of Kubernetes {site.kubernetes}) in group_vars/all.yml",
    )
