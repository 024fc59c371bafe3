"""Until when certificates are valid: what files hold, compared with what a deploy would put there. Pure."""

from __future__ import annotations

import base64
import binascii
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from cryptography import x509
from cryptography.x509.oid import NameOID

from provision.resources import File, HashedFile, Resource
from roles._authority import PendingCertificate, Store
from roles._x509 import Certificate, due

SOON = timedelta(days=30)
AUTHORITY_SOON = timedelta(days=365)  # a CA is replaced by people, and on every host: they get a year
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
_IN_KUBECONFIG = re.compile(r"^\s*client-certificate-data: (\S+)\s*$", re.MULTILINE)


class State(StrEnum):
    """What is to say of a certificate. due: a deploy makes a new one (of a CA: it ends within a year)."""

    OK = "ok"
    DUE = "due"
    ENDED = "ended"
    DIFFERS = "differs"
    MISSING = "missing"
    DAMAGED = "damaged"


@dataclass(frozen=True)
class Lifetime:
    """One certificate in one file. whose: its common name. why: what its state means here, '' where that is plain.

    signs: it is a CA's.
    """

    whose: str
    file: str
    state: State
    ends: datetime | None = None
    names: tuple[str, ...] = ()
    why: str = ""
    signs: bool = False

    def days(self, now: datetime) -> int | None:
        """Whole days until its end, negative afterwards; None for one that can't be read."""
        return None if self.ends is None else (self.ends - now) // timedelta(days=1)

    def sentence(self) -> str:
        """`kube-apiserver (/…/apiserver.pem) ends on 2026-12-20`."""
        if self.ends is None:
            return f"{self.whose} ({self.file}) is {self.state}"
        return (
            f"{self.whose} ({self.file}) {'has ended' if self.state is State.ENDED else 'ends'} on {self.ends:%Y-%m-%d}"
        )

    def urgent(self, now: datetime) -> bool:
        """Whether something does not work, or will not within 30 days, unless somebody deploys.

        Not one that is too young to be renewed: certificates may live for less than 30 days.
        """
        if self.state in (State.ENDED, State.MISSING, State.DAMAGED):
            return True
        return self.state is not State.OK and self.ends is not None and self.ends - now <= SOON


@dataclass(frozen=True)
class CertificateFile:
    """A file on a host that holds certificates: whose, and those that are declared (none where a deploy makes it)."""

    path: str
    whose: str
    declared: tuple[x509.Certificate, ...] = ()

    @property
    def read(self) -> str:
        """sh that prints the certificates in the file and none of its keys."""
        certificate = "-e '/-BEGIN CERTIFICATE-/,/-END CERTIFICATE-/p' -e '/client-certificate-data: /p'"
        return f"sed -n {certificate} {shlex.quote(self.path)}"

    def lifetimes(self, text: str, now: datetime) -> tuple[Lifetime, ...]:
        """What the file holds, by what `read` printed of it."""
        try:
            found = certificates_in(text)
        except ValueError:
            return (Lifetime(self.whose, self.path, State.DAMAGED, why="it can't be read as a certificate"),)
        if not found:
            return (Lifetime(self.whose, self.path, State.MISSING),)
        return tuple(self._lifetime(each, now) for each in found)

    def _lifetime(self, found: x509.Certificate, now: datetime) -> Lifetime:
        known = not self.declared or found in self.declared
        state, why = by_date(found, now), ""
        if state is not State.ENDED and not known:
            state, why = State.DIFFERS, "it is not the one in the pki folder"
        return _described(found, self.path, state, why)


def certificate_files(resources: Iterable[Resource]) -> Iterator[CertificateFile]:
    """Those of the declared files that hold certificates, kubeconfigs too."""
    for resource in resources:
        if isinstance(resource, HashedFile) or (isinstance(resource, File) and not resource.absent):
            content = resource.content
            path = resource.target if isinstance(resource, HashedFile) else resource.path
            if isinstance(content, PendingCertificate):
                yield CertificateFile(path, content.whose)
            elif isinstance(content, bytes) and (declared := _declared(content)):
                yield CertificateFile(path, _common_name(declared[0]), declared)


def in_folder(store: Store, wanted: Sequence[Certificate]) -> Iterator[Lifetime]:
    """The certificates of the pki folder on the controller: its CAs, and what they have issued."""
    yield from authorities(store, wanted)
    for each in wanted:
        yield _in_folder(store, each.name, each.common_name, store.stale(each))


def authorities(store: Store, wanted: Sequence[Certificate]) -> Iterator[Lifetime]:
    """The CAs of the pki folder that hosts trust for the sake of these certificates."""
    for authority in dict.fromkeys(each.authority for each in wanted):
        for name in store.trusted(authority):
            yield replace(_in_folder(store, name, store.common_name(authority), ""), signs=True)


def authority_note(authority: Lifetime, now: datetime) -> str:
    """What to do about a CA that ends within a year or has ended; '' where there is nothing to do."""
    if authority.ends is None or authority.state is State.OK:
        return ""
    days = authority.days(now)
    when = f"ends on {authority.ends:%Y-%m-%d}, in {days} days" if days and days > 0 else "has ended"
    return f"note: the CA {authority.whose} {when}, and every certificate with it: see docs/certificates.md"


def by_date(found: x509.Certificate, now: datetime) -> State:
    """ended, due or ok."""
    ends = found.not_valid_after_utc
    if ends <= now:
        return State.ENDED
    return State.DUE if (ends - now <= AUTHORITY_SOON if _signs(found) else due(found, now)) else State.OK


def certificates_in(text: str) -> tuple[x509.Certificate, ...]:
    """The certificates of a PEM file, or those with which the users of a kubeconfig log in. Raises ValueError."""
    blocks = _PEM.findall(text)
    for data in _IN_KUBECONFIG.findall(text):
        try:
            blocks += _PEM.findall(base64.b64decode(data, validate=True).decode("ascii"))
        except (binascii.Error, UnicodeDecodeError):
            raise ValueError("client-certificate-data is no base64") from None
    return tuple(x509.load_pem_x509_certificate(block.encode()) for block in blocks)


def _in_folder(store: Store, name: str, whose: str, stale: str) -> Lifetime:
    file, pem = str(store.directory / f"{name}.pem"), store.certificate(name)
    if pem is None:
        return Lifetime(whose, file, State.MISSING, why="deploy makes it")
    try:
        found = x509.load_pem_x509_certificate(pem)
    except ValueError:
        return Lifetime(whose, file, State.DAMAGED, why="it can't be read as a certificate")
    state = by_date(found, store.now)
    if state is State.OK and stale:
        state = State.DUE
    return _described(found, file, state, stale)


def _described(found: x509.Certificate, file: str, state: State, why: str) -> Lifetime:
    ends, names = found.not_valid_after_utc, _names(found)
    return Lifetime(_common_name(found), file, state, ends, names, why, signs=_signs(found))


def _declared(content: bytes) -> tuple[x509.Certificate, ...]:
    """What a file is declared to hold; nothing where it is no certificate, or none that anybody could use."""
    try:
        return certificates_in(content.decode("utf-8", "replace"))
    except ValueError:
        return ()


def _common_name(certificate: x509.Certificate) -> str:
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else certificate.subject.rfc4514_string()


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return ()
    return tuple(str(name.value) for name in names)


def _signs(certificate: x509.Certificate) -> bool:
    try:
        return bool(certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
    except (x509.ExtensionNotFound, ValueError):
        return False
