"""BIND: the site's own zones, and everybody's resolver."""

from __future__ import annotations

import ipaddress
import shlex
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import msgspec

from provision.errors import InputError
from provision.inventory.changes import Free
from provision.inventory.settings import bind as settings_of
from provision.inventory.types import AddressMatch, Forwarder, OptionalAddress, Positive, RecordName
from provision.resources import Bind, Command, ConfigSet, Package, Resource, Service, Template
from roles import _acme, _edge_tls, edge, traefik
from roles._applications import PUBLISHED, ROUTED, label, published
from roles._cluster import entrance, held, members

if TYPE_CHECKING:
    from provision.inventory import Host
    from roles._site import SiteSettings


DYNAMIC = "/var/lib/bind"  # where Debian's BIND may write: its zones that are updated
UNSIGNED = "Set bind.dnssec: false, or name forwarders in bind.forwarders that pass signatures on"


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Variables of the bind role, all under `bind:`."""

    records: Free[dict[RecordName, OptionalAddress]] = {}  # further names of the site; '': where its traffic goes
    host_records: Free[dict[RecordName, OptionalAddress]] = {}  # further names in the hosts' zone -> address
    forwarders: Free[tuple[Forwarder, ...]] = ()  # who is asked for all other names; (): the root servers
    recursion: Free[bool] = True  # False: only the site's own names are answered
    dnssec: Free[bool] = True  # check the signatures of other people's zones
    clients: Free[tuple[AddressMatch, ...]] = ("localnets", "localhost")  # who may ask for other names
    ttl: Free[Positive] = 60  # seconds that others may remember an answer


def bind(host: Host, site: SiteSettings, settings: Settings) -> Iterator[Resource]:
    """BIND with a zone for the site's names and one for its hosts."""
    yield Package(names=("bind9",))
    yield Package(names=("bind9-dnsutils",))  # dig
    hosts = {h.name: h.address for h in host.inventory.hosts if not h.local}
    names = records(host, site, settings)
    if site.domain == site.host_domain:
        raise InputError(
            f"site.domain and site.host_domain are both {site.domain}",
            line=host.origin("site", "host_domain") or host.origin("site", "domain"),
            found="BIND has a zone for the site's names and one for its hosts, and needs a name for each",
            do=f"Give the hosts a zone of their own, such as hosts.{site.domain}",
        )
    zones = {
        site.domain: _checked(host, "records", names, {"dns": host.address}),
        site.host_domain: _checked(host, "host_records", {**hosts, **settings.host_records}, {"dns": host.address}),
    }
    yield from held(host, site, "names")
    proven = proven_names(host, site)
    dynamic = _acme.zone(site.domain) if proven else ""
    if dynamic:
        yield _seeded(site.domain)
    known = {"zones": tuple(zones), "dynamic": dynamic}
    aliases = {site.domain: _acme.aliases(proven, site.domain)}
    yield ConfigSet(
        directory="/etc/bind",
        files={
            "named.conf.options": Template("bind/named.conf.options.j2", **known),
            "named.conf.local": Template("bind/named.conf.local.j2", **known),
            **{
                f"zones/{z}.zone": Template("bind/zone.j2", zone=z, records=zones[z], aliases=aliases.get(z, {}))
                for z in zones
            },
        },
        activation=Bind(
            tuple(zones), ttl=settings.ttl, foreign=UNSIGNED if settings.recursion and settings.dnssec else ""
        ),
    )
    yield Service(name="named", executable="/usr/sbin/named", ready="rndc status")


def proven_names(host: Host, site: SiteSettings) -> tuple[str, ...]:
    """The names that are proven to an ACME server by records of this BIND; () where none is."""
    for first in members(host, "edge")[:1]:
        settings = settings_of(edge.Settings, first, "edge")
        if settings.tls.source == "acme":
            return _edge_tls.needed(first, site, settings.sites)
    return ()


def _seeded(domain: str) -> Command:
    """The zone of the proofs, made once: BIND writes its file from then on."""
    file = f"{DYNAMIC}/{_acme.zone(domain)}.zone"
    made = f"printf %s {shlex.quote(_acme.seed(domain))} | install -o bind -g bind -m 0644 /dev/stdin {file}"
    return Command(name=f"make the zone {_acme.zone(domain)}", run=made, unless=f"test -e {file}")


def records(host: Host, site: SiteSettings, settings: Settings) -> dict[str, str]:
    """The names of the site's zone, each with where it leads. Raises InputError for one that is declared twice."""
    apps = {label(app, site): app for app in published(host, site)}
    for name in settings.records:
        if app := apps.get(name.lower()):
            raise InputError(
                f"bind.records has the name {name}, and so has the application {app.name}",
                line=host.origin("bind", "records", name),
                found=f"{app.host} is published because of apps.{app.name}",
                do="Take it out of bind.records",
            )
    own = (*PUBLISHED, ROUTED) if traefik.serves_routes(host) else PUBLISHED
    addresses = {**dict.fromkeys((*own, *apps), ""), **settings.records}
    return {name: address or entrance(host, site) for name, address in addresses.items()}


def _checked(host: Host, variable: str, records: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    """The records, each with an address. Raises InputError with the line of one that has none."""
    for name, address in records.items():
        try:
            ipaddress.IPv4Address(address)
        except ValueError:
            raise InputError(
                f"{address!r} is not an IPv4 address",
                line=host.origin("bind", variable, name) or host.origin("ansible_host"),
                found=f"It is the record of the name {name}",
                do="Write an address such as 10.4.7.200",
            ) from None
    return {**own, **records}
