"""Certificates that a person gives: a chain and its key, in files beside the inventory or as values of the vault."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa

from provision.errors import InputError
from provision.secret import Secret

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

    from provision.inventory import Host

Path = tuple[str, ...]
BEGIN = "-----BEGIN "
CURVES = ("secp256r1", "secp384r1", "secp521r1")  # of TLS 1.3
SHORTEST = 2048  # bits of an RSA key


class Pair(Protocol):
    """Settings that name a certificate and its key."""

    @property
    def certificate(self) -> str: ...

    @property
    def key(self) -> str: ...


def given(host: Host, path: Path, pair: Pair, needed: Sequence[str], now: datetime) -> bytes:
    """Key and chain, PEM, one after the other. path: of the settings, ("edge", "tls"); needed: names that it is for.

    Raises InputError for what no client would accept: a key that does not fit, a name that is missing, an end that
    has come, a chain that is torn.
    """
    chain = certificates(host, (*path, "certificate"), pair.certificate)
    key = _key(host, (*path, "key"), pair.key)
    if key.public_key() != chain[0].public_key():
        raise _wrong(
            host,
            (*path, "key"),
            "does not fit the certificate",
            f"The certificate of {chain[0].subject.rfc4514_string()} has another public key",
            f"Give the key that {_dotted(path)}.certificate was made for; the site's own certificate comes first in it",
        )
    _check_chain(host, (*path, "certificate"), chain)
    _check_strength(host, (*path, "certificate"), chain)
    _check_names(host, (*path, "certificate"), chain[0], needed)
    _check_dates(host, (*path, "certificate"), chain[0], now)
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    private: bytes = key.private_bytes(serialization.Encoding.PEM, form, plain)
    return private + b"".join(each.public_bytes(serialization.Encoding.PEM) for each in chain)


def check_issuer(host: Host, path: Path, pem: bytes, authority: str) -> None:
    """Raises InputError unless the last certificate of the chain is one of the authority's, or issued by one."""
    top = x509.load_pem_x509_certificates(pem)[-1]
    known = certificates(host, (*path, "authority"), authority)
    if top not in known and not any(_issued(top, each) for each in known):
        found = f"The chain ends with {top.subject.rfc4514_string()}, issued by {top.issuer.rfc4514_string()}"
        do = "Give the CA that clients trust, or add what lies between to the certificate's file"
        raise _wrong(host, (*path, "authority"), "did not issue the certificate", found, do)


def certificates(host: Host, path: Path, written: str) -> list[x509.Certificate]:
    """The certificates of a setting, in their order. Raises InputError where there are none."""
    text = _text(host, path, written)
    try:
        return x509.load_pem_x509_certificates(text)
    except ValueError:
        raise _wrong(host, path, "holds no certificate", _held(text), "Give the chain as PEM") from None


def covers(name: str, wanted: str) -> bool:
    """Whether a name in a certificate stands for the wanted one: '*' for one label, the first (RFC 6125)."""
    name = name.lower()
    return name == wanted or (name.startswith("*.") and wanted.partition(".")[2] == name[2:])


def _key(host: Host, path: Path, written: str) -> PrivateKeyTypes:
    text = _text(host, path, written)
    try:
        return serialization.load_pem_private_key(text, None)
    except TypeError:
        do = "Take the passphrase off (openssl pkey -in FILE), and keep the outcome in the vault"
        raise _wrong(host, path, "has a passphrase", "nginx could not read it", do) from None
    except (ValueError, UnsupportedAlgorithm):
        raise _wrong(host, path, "holds no private key", _held(text), "Give the key as PEM") from None


def _held(text: bytes) -> str:
    """What there is instead of what was wanted."""
    kinds = dict.fromkeys(each.decode().lower() for each in re.findall(rb"-----BEGIN ([A-Z0-9 ]+)-----", text))
    if kinds:
        return f"It is PEM of {' and '.join(kinds)}, or damaged"
    return "It is no PEM" if text.strip() else "It is empty"


def _text(host: Host, path: Path, written: str) -> bytes:
    """What a setting gives: its own text, or the file that it names."""
    if not written:
        raise _wrong(host, path, "is missing", "", "Give a file beside the inventory, or PEM from the vault")
    if written.startswith(BEGIN):
        if "PRIVATE KEY" in written and not isinstance(written, Secret):
            do = "Encrypt it: ansible-vault encrypt_string. Or name a file beside the inventory that is not in git"
            raise _wrong(host, path, "is a private key in plain text", "Everybody who reads the inventory has it", do)
        return written.encode()
    file = host.inventory.directory / written
    if file.exists() and not file.is_file():  # a pipe would be waited for
        raise _wrong(host, path, "can't be read", f"{file} is no file", "Paths begin at the inventory's folder")
    try:
        return file.read_bytes()
    except OSError as error:
        found = f"{file}: {error.strerror or error}"
        raise _wrong(host, path, "can't be read", found, "Paths begin at the inventory's folder") from None


def _check_chain(host: Host, path: Path, chain: Sequence[x509.Certificate]) -> None:
    for one, above in itertools.pairwise(chain):
        if not _issued(one, above):
            found = f"{one.subject.rfc4514_string()} was not issued by {above.subject.rfc4514_string()}"
            do = "Write the site's certificate first, then the one that issued it, and so on"
            raise _wrong(host, path, "is no chain", found, do)


def _check_strength(host: Host, path: Path, chain: Sequence[x509.Certificate]) -> None:
    """Debian's OpenSSL is at security level 2 (SSL_CTX_set_security_level(3)): nginx would not start with less."""
    own = chain[0].public_key()
    curve = own.curve.name if isinstance(own, ec.EllipticCurvePublicKey) else ""
    if isinstance(own, dsa.DSAPublicKey) or (curve and curve not in CURVES):
        found = f"{chain[0].subject.rfc4514_string()} has a key of {curve or 'DSA'}"
        do = "Have it issued for a key of RSA, or of the curve P-256, P-384 or P-521"
        raise _wrong(host, path, "has a key that no browser takes", found, do)
    for each in chain:
        key = each.public_key()
        if isinstance(key, rsa.RSAPublicKey) and key.key_size < SHORTEST:
            found = f"{each.subject.rfc4514_string()} has an RSA key of {key.key_size} bits"
            do = f"Have it issued for a key of {SHORTEST} bits at least, or of an elliptic curve"
            raise _wrong(host, path, "has a key that is too short for OpenSSL", found, do)


def _issued(one: x509.Certificate, above: x509.Certificate) -> bool:
    try:
        one.verify_directly_issued_by(above)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _check_names(host: Host, path: Path, leaf: x509.Certificate, needed: Sequence[str]) -> None:
    try:
        said = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = said.get_values_for_type(x509.DNSName)
    except x509.ExtensionNotFound:
        names = []
    missing = [each for each in needed if not any(covers(name, each) for name in names)]
    if missing:
        found = f"It is for {', '.join(names) or 'no name'}, and not for {', '.join(missing)}"
        do = "Have it issued for those names too, or give them one of their own: edge.sites.NAME.tls"
        raise _wrong(host, path, "is not for all names that it is shown for", found, do)


def _check_dates(host: Host, path: Path, leaf: x509.Certificate, now: datetime) -> None:
    if leaf.not_valid_after_utc <= now:
        raise _wrong(host, path, "has ended", f"It ended on {leaf.not_valid_after_utc:%Y-%m-%d}", "Give a new one")
    if leaf.not_valid_before_utc > now:
        found = f"It is valid from {leaf.not_valid_before_utc:%Y-%m-%d %H:%M} UTC on"
        raise _wrong(host, path, "is not valid yet", found, "Wait, or look at this controller's clock")


def _dotted(path: Path) -> str:
    return ".".join(path)


def _wrong(host: Host, path: Path, what: str, found: str, do: str) -> InputError:
    line = next(filter(None, (host.origin(*path[:size]) for size in range(len(path), 0, -1))), "")
    return InputError(f"{_dotted(path)} {what}", line=line, found=found, do=do)
