"""The hosts that a lab has to make: what it needs to know of an inventory, and nothing more."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

import msgspec

from lab.suites import BOOKWORM, SUITES
from provision.errors import InputError

if TYPE_CHECKING:
    from provision.inventory import Host, Inventory

OPS_GROUP = "ops"
DNS_GROUP = "dns"
EDGE_GROUP = "edge"
MACHINE_GROUP = "proxy_only"
SITE = "site"
DOMAIN = "od.com"  # of a site whose inventory sets none: the role's default


class HostSpec(msgspec.Struct, frozen=True):
    """One host as the lab makes it.

    user: who logs in over SSH; anyone but root gets sudo, with `password` if there is one.
    behind: the only host (by name) from which its SSH port answers. ops: a namespace and no booted host.
    virtual: a virtual machine, with a kernel of its own. suite: the Debian that it boots, by its code name.
    """

    name: str
    address: str
    port: int = 22
    user: str = "root"
    password: str = ""
    behind: str = ""
    ops: bool = False
    virtual: bool = False
    suite: str = BOOKWORM


class Topology(msgspec.Struct, frozen=True):
    """The lab's hosts on their one network.

    gateway: the switch's own address, a dead end. resolver: bind's address. edge: where the site's names lead.
    domain: what the site's names end in.
    """

    hosts: tuple[HostSpec, ...]
    network: str
    gateway: str
    resolver: str
    edge: str = ""
    domain: str = DOMAIN

    @property
    def public(self) -> Topology:
        """The same for a record: only whether there is a password."""
        hosts = (msgspec.structs.replace(host, password="*" if host.password else "") for host in self.hosts)
        return msgspec.structs.replace(self, hosts=tuple(hosts))

    @property
    def booted(self) -> tuple[HostSpec, ...]:
        """The hosts with a disk, an init and an sshd."""
        return tuple(host for host in self.hosts if not host.ops)

    @property
    def ops(self) -> HostSpec:
        """The host from which the site is looked at, and which serves what the others may fetch."""
        return next(host for host in self.hosts if host.ops)

    @property
    def described(self) -> str:
        """Names and addresses, for a line of text."""
        return ", ".join(f"{host.name} {host.address}" for host in self.hosts)

    def host(self, name: str) -> HostSpec:
        """A host by name or address. Raises InputError for one that the lab has not."""
        for host in self.hosts:
            if name in (host.name, host.address):
                return host
        names = ", ".join(host.name for host in self.hosts)
        raise InputError(f"the lab has no host {name!r}", do=f"Name one of {names}")


def topology(inventory: Inventory) -> Topology:
    """The lab that stands for an inventory.

    Reads how each host is logged in to: address, port, user, sudo password, and the jump host, which must be one of the
    inventory's. The first host of group `ops` is the ops host; without one the lab adds its own.
    Raises InputError for an address that is no IPv4 address, used twice, or outside the others' /24.
    """
    ops = next((host.name for host in inventory.hosts if OPS_GROUP in host.groups), None)
    specs = tuple(_spec(host, inventory, host.name == ops) for host in inventory.hosts)
    if not specs:
        raise InputError("a lab can't be made of an inventory without hosts", do="Add a host with its ansible_host")
    arrangement = arranged(specs, resolver=_first(inventory, DNS_GROUP), edge=_entrance(inventory))
    return msgspec.structs.replace(arrangement, domain=_site(inventory.hosts[0], "domain") or DOMAIN)


def arranged(specs: tuple[HostSpec, ...], resolver: str = "", edge: str = "") -> Topology:
    """Put the hosts on a network, check that they fit, and add an ops host where there is none."""
    _refuse_duplicates(specs)
    network = ipaddress.IPv4Network((_address(specs[0]), 24), strict=False)
    for spec in specs:
        if _address(spec) not in network:
            raise InputError(
                f"the lab's hosts must share one network, and {spec.address} is outside {network}",
                host=spec.name,
                do=f"Give it an address in {network}",
            )
    used = {spec.address for spec in specs}
    free = [address for address in map(str, network.hosts()) if address not in used]
    if not any(spec.ops for spec in specs):
        address = next(one for one in reversed(free) if int(one.rsplit(".", 1)[1]) <= 200)
        specs = (*specs, HostSpec("ops", address, ops=True))
        free.remove(address)
    first = specs[0].address
    return Topology(specs, str(network), gateway=free[-1], resolver=resolver or first, edge=edge or first)


def _first(inventory: Inventory, group: str) -> str:
    return next((host.address for host in inventory.hosts if group in host.groups), "")


def _entrance(inventory: Inventory) -> str:
    """Where the site's names lead: the address that its edges share, or the first edge."""
    return _site(inventory.hosts[0], "vip") or _first(inventory, EDGE_GROUP)


def _site(host: Host, setting: str) -> str:
    """A setting of the site, '' where the inventory has none, or none that is known already."""
    try:
        settings = host.var(SITE, {})
    except InputError:  # it may need facts of a lab that is up; deploy reports any other error
        return ""
    found = settings.get(setting) if isinstance(settings, dict) else None
    return found if isinstance(found, str) else ""


def _spec(host: Host, inventory: Inventory, ops: bool) -> HostSpec:
    return HostSpec(
        name=host.name,
        address=host.address,
        port=host.port,
        user=host.user or "root",
        password=host.become_password or "",
        behind=_jump(host, inventory) if host.jumps else "",
        ops=ops,
        virtual=MACHINE_GROUP in host.groups,
        suite=_suite(host),
    )


def _suite(host: Host) -> str:
    """Its variable `lab_suite`."""
    wanted = host.var("lab_suite", BOOKWORM)
    if wanted not in SUITES:
        raise InputError(
            f"the lab has no Debian called {wanted!r}",
            host=host.name,
            line=host.origin("lab_suite"),
            do=f"Set lab_suite to one of {', '.join(SUITES)}",
        )
    if wanted != BOOKWORM and MACHINE_GROUP in host.groups:
        raise InputError(
            f"the lab's virtual machine is {BOOKWORM}, not {wanted}",
            host=host.name,
            line=host.origin("lab_suite"),
            do="Take lab_suite out for this host",
        )
    return str(wanted)


def _jump(host: Host, inventory: Inventory) -> str:
    """The last hop's name in the inventory."""
    at = host.jumps[-1].host
    for other in inventory.hosts:
        if at in (other.name, other.address):
            return other.name
    raise InputError(
        f"the lab can't make the jump host {at}: it is no host of the inventory",
        host=host.name,
        line=host.origin("ansible_ssh_common_args"),
        do=f"Add a host with ansible_host: {at} to the inventory",
    )


def _address(spec: HostSpec) -> ipaddress.IPv4Address:
    try:
        return ipaddress.IPv4Address(spec.address)
    except ValueError:
        raise InputError(
            f"the lab needs an IPv4 address and got {spec.address!r}",
            host=spec.name,
            do="Set ansible_host to an address such as 10.4.7.21",
        ) from None


def _refuse_duplicates(specs: tuple[HostSpec, ...]) -> None:
    seen: dict[str, str] = {}
    for spec in specs:
        if spec.address in seen:
            raise InputError(
                f"{spec.address} is the address of two hosts, {seen[spec.address]} and {spec.name}",
                do="Give each host of the inventory an ansible_host of its own",
            )
        seen[spec.address] = spec.name
