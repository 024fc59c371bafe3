"""What the edge does for each name of the domain, as plain data: whichever program the edge is, it serves these."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import msgspec

from provision.errors import InputError
from provision.inventory.changes import Free
from provision.inventory.types import Natural, OptionalPem, Positive, SiteName

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provision.inventory import Host
    from roles._site import SiteSettings


class Tls(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """TLS for all names of the domain."""

    source: Free[Literal["", "own", "given"]] = ""  # own: a CA of the edge's; given: certificate and key; '': no TLS
    certificate: Free[OptionalPem] = ""  # given: the chain for *.DOMAIN, a file beside the inventory or the text itself
    key: Free[OptionalPem] = ""  # given: its private key; as a text only from the vault
    authority: Free[OptionalPem] = ""  # given: the CA that clients trust, for verify; '': those of the controller
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


Sites = dict[SiteName, SiteOfEdge]


@dataclass(frozen=True)
class ServedName:
    """A name as the edge serves it: 'shop.od.com', or '*.od.com' for all that have no entry of their own.

    certificate: the domain or name whose certificate it shows, a key of `roles._edge_tls.files`; '' for no TLS.
    redirect: http leads to https. hsts: seconds, 0 for nothing.
    """

    name: str
    protocol: str = "http"
    certificate: str = ""
    redirect: bool = False
    hsts: int = 0


def served_names(host: Host, site: SiteSettings, tls: Tls, sites: Mapping[str, SiteOfEdge]) -> tuple[ServedName, ...]:
    """The domain first, then every name for which something differs. Raises InputError for settings that contradict."""
    _check(host, tls, sites)
    on = bool(tls.source)
    certificate = site.domain if on else ""
    whole = ServedName(f"*.{site.domain}", "http", certificate, on and tls.redirect, tls.hsts if on else 0)
    every = (_served(f"{label}.{site.domain}", its, tls, whole) for label, its in sites.items())
    return (whole, *(each for each in every if each != replace(whole, name=each.name)))


def _served(name: str, its: SiteOfEdge, tls: Tls, whole: ServedName) -> ServedName:
    found = replace(whole, name=name, protocol=its.protocol)
    if not tls.source:
        return found
    return replace(
        found,
        certificate=name if its.tls.certificate else whole.certificate,
        redirect=whole.redirect if its.tls.redirect is None else its.tls.redirect,
        hsts=whole.hsts if its.tls.hsts is None else its.tls.hsts,
    )


def _check(host: Host, tls: Tls, sites: Mapping[str, SiteOfEdge]) -> None:
    for label, its in sites.items():
        if its.tls != TlsOfSite() and not tls.source:
            raise InputError(
                f"edge.sites.{label}.tls has no effect: edge.tls is off",
                line=host.origin("edge", "sites", label, "tls"),
                do="Set edge.tls.source to 'own' or 'given' for the domain: names differ from that",
            )
