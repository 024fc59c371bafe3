"""The certificates of the edge: where each comes from, whether it can be used, and the file that it becomes.

One file holds a key and its chain, as nginx and HAProxy both read it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from provision.resources import Content, HashedFile
from roles import _acme
from roles._acme_folder import Folder
from roles._applications import published
from roles._authority import Store
from roles._certificates import store as cluster_store
from roles._edge_sites import Sites, Tls
from roles._given import check_issuer, covers, given
from roles._x509 import Certificate, due

if TYPE_CHECKING:
    from provision.inventory import Host, Inventory
    from roles._site import SiteSettings

FOLDER = "/etc/ssl/edge"


def store(inventory: Inventory, site: SiteSettings) -> Store:
    """The folder of the edge's own CA: `edge` in that of the site's keys. It can't issue for another domain."""
    return Store(cluster_store(inventory, site).directory / "edge", datetime.now(UTC), domain=site.domain)


def own(host: Host, site: SiteSettings, sites: Sites) -> Certificate:
    """The certificate that the edge's own CA issues: for all names of the domain."""
    names = needed(host, site, sites)
    return Certificate(
        site.domain,
        f"edge of {site.domain}"[:64],
        names=names,
        server=True,
        client=False,
        authority=f"ca-{site.domain}",
    )


def needed(host: Host, site: SiteSettings, sites: Sites) -> tuple[str, ...]:
    """What the domain's certificate has to be valid for: one label below the domain, and what lies deeper."""
    apps = (app.host for app in published(host, site))
    named = (f"{label}.{site.domain}" for label, its in sites.items() if not its.tls.certificate)
    return tuple(
        dict.fromkeys((f"*.{site.domain}", *(n for n in (*apps, *named) if not covers(f"*.{site.domain}", n))))
    )


def files(host: Host, site: SiteSettings, tls: Tls, sites: Sites) -> dict[str, HashedFile]:
    """Name of the certificate -> its file on the edge. Raises InputError for one that can't be used."""
    _acme.check(host, tls)
    found: dict[str, Content] = {**_given(host, site, tls, sites)}
    if tls.source in ("own", "acme"):
        found[site.domain] = ordered(host, site, tls, sites) or _issued(host, site, sites)
    return {name: HashedFile(path=folder(name), suffix=".pem", content=content) for name, content in found.items()}


def wanted(host: Host, site: SiteSettings, tls: Tls, sites: Sites) -> _acme.Wanted:
    """What is ordered by ACME."""
    return _acme.Wanted(tls.directory, tls.contact, site.domain, needed(host, site, sites))


def acme_folder(inventory: Inventory, site: SiteSettings) -> Folder:
    """Where ACME's keys and certificates lie on the controller: beside those of the edge's own CA."""
    return Folder(store(inventory, site).directory / "acme", site.domain)


def ordered(host: Host, site: SiteSettings, tls: Tls, sites: Sites) -> bytes | None:
    """The certificate that ACME has brought, key and chain; None before, and for one that can't be shown any more."""
    if tls.source != "acme":
        return None
    pem = acme_folder(host.inventory, site).certificate()
    usable = pem and not _acme.fault(pem, wanted(host, site, tls, sites), datetime.now(UTC))
    return pem if usable else None


def folder(name: str) -> str:
    """Where the files of a certificate lie on the edge."""
    return f"{FOLDER}/{name.replace('*', '_')}"


def pem(certificate: x509.Certificate) -> bytes:
    """A certificate as a file has it."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def prepare(host: Host, site: SiteSettings, tls: Tls, sites: Sites) -> bool:
    """Makes the edge's own CA and certificate where they are missing or due. Whether there were any.

    With ACME only until its first certificate is there: the site comes up, and names can be proven.
    """
    if tls.source not in ("own", "acme") or ordered(host, site, tls, sites):
        return False
    return bool(store(host.inventory, site).renew([own(host, site, sites)], tls.days))


def notes(host: Host, site: SiteSettings, tls: Tls, sites: Sites) -> Iterator[str]:
    """The given certificates that near their end, which only a person renews; an order that failed."""
    for name, pem in _given(host, site, tls, sites).items():
        leaf = x509.load_pem_x509_certificate(pem)
        if due(leaf, datetime.now(UTC)):
            yield f"note: the certificate for {name} ends on {leaf.not_valid_after_utc:%Y-%m-%d}: give another one"
    failure = acme_folder(host.inventory, site).failure() if tls.source == "acme" else None
    if failure and failure.holds(wanted(host, site, tls, sites), datetime.now(UTC)):
        yield (
            f"note: {failure.directory} issued no certificate ({failure.type or 'no problem document'}: "
            f"{failure.detail}): deploy tries again from {failure.again:%Y-%m-%d %H:%M} UTC on"
        )


def _given(host: Host, site: SiteSettings, tls: Tls, sites: Sites) -> dict[str, bytes]:
    """Those that a person has given, key and chain: of the domain, and of single names."""
    now, found = datetime.now(UTC), dict[str, bytes]()
    if tls.source == "given":
        found[site.domain] = given(host, ("edge", "tls"), tls, needed(host, site, sites), now)
        if tls.authority:
            check_issuer(host, ("edge", "tls"), found[site.domain], tls.authority)
    for label, its in sites.items():
        if tls.source and (its.tls.certificate or its.tls.key):
            name = f"{label}.{site.domain}"
            found[name] = given(host, ("edge", "sites", label, "tls"), its.tls, (name,), now)
    return found


def _issued(host: Host, site: SiteSettings, sites: Sites) -> Content:
    """What the edge's own CA has issued, key and certificate; Pending before a deploy has made it."""
    certificate, key = store(host.inventory, site).pair(own(host, site, sites))
    if isinstance(certificate, bytes) and isinstance(key, bytes):
        return key + certificate
    return certificate
