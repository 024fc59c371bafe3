"""What the edge does for each name of the domain, as plain data: whichever program the edge is, it serves these."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import msgspec

from provision.errors import InputError
from provision.inventory.changes import Free
from provision.inventory.types import (
    Natural,
    OptionalMail,
    OptionalPem,
    OptionalUrl,
    Password,
    Positive,
    Sender,
    SiteName,
    UserName,
)
from roles._applications import published

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provision.inventory import Host
    from roles._site import SiteSettings


class Tls(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """TLS for all names of the domain."""

    source: Free[Literal["", "own", "given", "acme"]] = ""  # own: a CA of the edge's; given, acme: others'; '': no TLS
    certificate: Free[OptionalPem] = ""  # given: the chain for *.DOMAIN, a file beside the inventory or the text itself
    key: Free[OptionalPem] = ""  # given: its private key; as a text only from the vault
    authority: Free[OptionalPem] = ""  # given, acme: the CA that clients trust, for verify; '': the controller's
    directory: Free[OptionalUrl] = ""  # acme: the server's directory; who sets it agrees to its operator's terms
    directory_authority: Free[OptionalPem] = ""  # acme: the CA of the server's own address; '': the controller's
    contact: Free[OptionalMail] = ""  # acme: whom the server's operator may write to
    days: Free[Positive] = 90  # own: life of the certificate; a deploy in its last third makes a new one
    redirect: Free[bool] = True  # http leads to https
    hsts: Free[Natural] = 0  # seconds for which browsers ask by https alone; 0: nothing is said


class TlsOfSite(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What differs for one name."""

    certificate: Free[OptionalPem] = ""  # its own chain; '': that of the domain
    key: Free[OptionalPem] = ""  # its private key
    redirect: Free[bool | None] = None  # null: as for the domain
    hsts: Free[Natural | None] = None  # null: as for the domain


class SiteOfEdge(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the edge does for one name of the domain."""

    protocol: Free[Literal["http", "h2c"]] = "http"  # to Traefik; h2c: HTTP/2 without TLS, which gRPC needs
    tls: Free[TlsOfSite] = TlsOfSite()  # where edge.tls is on
    users: Free[dict[UserName, Password]] = {}  # who may come in, with passwords from the vault; {}: everybody
    networks: Free[tuple[Sender, ...]] = ()  # from where one may come in; []: from everywhere

    @property
    def closed(self) -> bool:
        """Whether not everybody may come in: nobody may go past the edge then."""
        return bool(self.users or self.networks)


Sites = dict[SiteName, SiteOfEdge]
# Of every closed name: whoever asks here by HEAD gets the status of its application: no body, no cookie.
HEALTH = "/.well-known/edge-health"


@dataclass(frozen=True)
class ServedName:
    """A name as the edge serves it: 'shop.od.com', or '*.od.com' for all that have no entry of their own.

    certificate: the domain or name whose certificate it shows, a key of `roles._edge_tls.files`; '' for no TLS.
    redirect: http leads to https. hsts: seconds, 0 for nothing. users: whether it asks for a password. networks: from
    where one may come in, () for everywhere. health: the path at which its application is asked for its health.
    """

    name: str
    protocol: str = "http"
    certificate: str = ""
    redirect: bool = False
    hsts: int = 0
    users: bool = False
    networks: tuple[str, ...] = ()
    health: str = ""


def health_paths(host: Host, site: SiteSettings, sites: Mapping[str, SiteOfEdge]) -> dict[str, str]:
    """Each closed name whose health is asked for -> the path that its application answers."""
    known = {f"traefik.{site.domain}": "/dashboard/"} | {app.host: app.path for app in published(host, site)}
    names = (f"{label}.{site.domain}" for label, its in sites.items() if its.closed)
    return {name: known[name] for name in names if name in known}


def served_names(host: Host, site: SiteSettings, tls: Tls, sites: Mapping[str, SiteOfEdge]) -> tuple[ServedName, ...]:
    """The domain first, then every name for which something differs. Raises InputError for settings that contradict."""
    _check(host, site, tls, sites)
    on = bool(tls.source)
    certificate = site.domain if on else ""
    whole = ServedName(f"*.{site.domain}", "http", certificate, on and tls.redirect, tls.hsts if on else 0)
    health = health_paths(host, site, sites)
    every = (_served(f"{label}.{site.domain}", its, tls, whole, health) for label, its in sites.items())
    return (whole, *(each for each in every if each != replace(whole, name=each.name)))


def _served(name: str, its: SiteOfEdge, tls: Tls, whole: ServedName, health: Mapping[str, str]) -> ServedName:
    open_ = replace(whole, name=name, protocol=its.protocol)
    found = replace(open_, users=bool(its.users), networks=its.networks, health=health.get(name, ""))
    if not tls.source:
        return found
    return replace(
        found,
        certificate=name if its.tls.certificate else whole.certificate,
        redirect=whole.redirect if its.tls.redirect is None else its.tls.redirect,
        hsts=whole.hsts if its.tls.hsts is None else its.tls.hsts,
    )


def _check(host: Host, site: SiteSettings, tls: Tls, sites: Mapping[str, SiteOfEdge]) -> None:
    if tls != Tls() and not tls.source:
        raise InputError(
            "edge.tls has no effect: it does not say where the certificate comes from",
            line=host.origin("edge", "tls"),
            do="Set edge.tls.source: 'given' for a certificate and key of yours, 'own' for a CA of the edge's",
        )
    for label, its in sites.items():
        if label.endswith(f".{site.domain}"):
            raise InputError(
                f"edge.sites has the name {label} with its domain",
                line=host.origin("edge", "sites", label),
                found=f"It would stand for {label}.{site.domain}, and {label} would stay as it is",
                do=f"Write {label.removesuffix(f'.{site.domain}')}",
            )
        if its.tls != TlsOfSite() and not tls.source:
            raise InputError(
                f"edge.sites.{label}.tls has no effect: edge.tls is off",
                line=host.origin("edge", "sites", label, "tls"),
                do="Set edge.tls.source to 'own', 'given' or 'acme' for the domain: names differ from that",
            )
