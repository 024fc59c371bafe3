"""Certificates by ACME: what is ordered, where the proofs lie in the DNS, and when an order is due. Pure.

A proof is a TXT record. The site's zone is a set that is swapped as one, so it leads the challenges (CNAME) into a zone
of their own below it, which BIND lets this host itself update.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization

from provision.errors import InputError
from roles._cluster import members
from roles._given import covers
from roles._x509 import due

if TYPE_CHECKING:
    from provision.inventory import Host
    from roles._edge_sites import Tls

LABEL, CHALLENGE = "_acme", "_acme-challenge"
TTL = 1  # seconds that a resolver may remember a proof: the next order has another one


@dataclass(frozen=True)
class Wanted:
    """What is ordered: where, in whose name, for which names, the first of which is '*.DOMAIN'."""

    directory: str
    contact: str
    domain: str
    names: tuple[str, ...]


def zone(domain: str) -> str:
    """The dynamic zone in which the proofs lie."""
    return f"{LABEL}.{domain}"


def challenge(name: str) -> str:
    """Where an ACME server asks for the proof of a name."""
    return f"{CHALLENGE}.{name.removeprefix('*.')}"


def proof(name: str, domain: str) -> str:
    """Where the proof of a name lies: in the dynamic zone."""
    return f"{name.removeprefix('*.').removesuffix(domain)}{zone(domain)}"


def aliases(names: Sequence[str], domain: str) -> dict[str, str]:
    """The records of the site's zone that lead challenges to their proofs, both as labels of that zone."""
    end = f".{domain}"
    return {challenge(name).removesuffix(end): proof(name, domain).removesuffix(end) for name in names}


def seed(domain: str) -> str:
    """The dynamic zone before its first update. From then on the file is BIND's."""
    soa = f"@ IN SOA dns.{domain}. dnsadmin.{domain}. 1 10800 900 604800 {TTL}"
    return f"$TTL {TTL}\n{soa}\n@ IN NS dns.{domain}.\n"


def check(host: Host, tls: Tls) -> None:
    """Raises InputError where nothing could be ordered."""
    if tls.source != "acme":
        return
    line = host.origin("edge", "tls", "source")
    if not tls.directory:
        raise InputError(
            "edge.tls.source is acme, and nothing says whom to ask",
            line=line,
            do="Set edge.tls.directory to the directory URL of the ACME server, as its operator publishes it",
        )
    if not members(host, "dns"):
        raise InputError(
            "edge.tls.source is acme, and the inventory has no host in group dns",
            line=line,
            found="Names are proven by records of the site's own BIND",
            do="Put a host into the group dns, or give a certificate: edge.tls.source: given",
        )


def fault(pem: bytes, wanted: Wanted, now: datetime) -> str:
    """Why a certificate (key and chain, PEM) can't be shown by the edge; '' where it can.

    One that lacks a name below '*.DOMAIN' is shown until there is another: the others need it.
    """
    try:
        leaf = x509.load_pem_x509_certificates(pem)[0]
        key = serialization.load_pem_private_key(pem, None)
    except (ValueError, TypeError):
        return "it is damaged"
    if leaf.public_key() != key.public_key():
        return "its key is another's"
    if missing(leaf, wanted.names[:1]):
        return f"it is not for {wanted.names[0]}"
    return "it has ended" if leaf.not_valid_after_utc <= now else ""


def why_due(pem: bytes | None, wanted: Wanted, now: datetime) -> str:
    """Why a certificate has to be ordered; '' when it has not."""
    if pem is None:
        return "there is none"
    if wrong := fault(pem, wanted, now):
        return wrong
    leaf = x509.load_pem_x509_certificates(pem)[0]
    if lacking := missing(leaf, wanted.names):
        return f"it is not for {', '.join(lacking)}"
    return "it nears its end" if due(leaf, now) else ""


def missing(leaf: x509.Certificate, names: Sequence[str]) -> list[str]:
    """The names that a certificate does not stand for."""
    try:
        said = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return list(names)
    known = said.get_values_for_type(x509.DNSName)
    return [each for each in names if not any(covers(name, each) for name in known)]


def issued_by(pem: bytes, authority: bytes | None) -> bool:
    """Whether the certificate in `pem` is of this CA (PEM, None for no CA)."""
    if authority is None:
        return False
    try:
        x509.load_pem_x509_certificates(pem)[0].verify_directly_issued_by(x509.load_pem_x509_certificate(authority))
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
