"""What a certificate of the site looks like: ECDSA P-256, made and judged in memory. `now` is always an argument."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_DAYS = 3650
FOREIGN = "it is of another CA"
CLOCKS = timedelta(hours=1)  # hosts whose clock is behind accept a new certificate at once


@dataclass(frozen=True)
class Certificate:
    """A certificate that the site needs. names: addresses and DNS names of a server. name: its file's, without .pem."""

    name: str
    common_name: str
    organization: str = ""
    names: tuple[str, ...] = ()
    server: bool = False
    client: bool = True
    authority: str = "ca"


@dataclass(frozen=True)
class Authority:
    """A CA that can issue."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @staticmethod
    def new(common_name: str, now: datetime, domain: str = "") -> Authority:
        """A CA of its own making. domain: the only one whose names it may issue for; '': it may for any."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        builder = (
            _builder(subject, subject, key, now - CLOCKS, now + timedelta(days=AUTHORITY_DAYS))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(signs=True), critical=True)
        )
        if domain:
            builder = builder.add_extension(_only_names_of(domain), critical=True)
        return Authority(key, builder.sign(key, hashes.SHA256()))

    @property
    def pem(self) -> tuple[bytes, bytes]:
        """Its key and its certificate."""
        return private_pem(self.key), self.certificate.public_bytes(serialization.Encoding.PEM)

    def issue(self, wanted: Certificate, now: datetime, days: int) -> tuple[bytes, bytes]:
        """A new key and its certificate, both PEM; never valid for longer than the CA is."""
        key = ec.generate_private_key(ec.SECP256R1())
        until = min(now + timedelta(days=days), self.certificate.not_valid_after_utc)
        builder = (
            _builder(_subject(wanted), self.certificate.subject, key, now - CLOCKS, until)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(_purposes(wanted)), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
        )
        if wanted.names:
            builder = builder.add_extension(x509.SubjectAlternativeName(_names(wanted)), critical=False)
        return private_pem(key), builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def due(certificate: x509.Certificate, now: datetime) -> bool:
    """Whether a third or less of its life is left."""
    life = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    return certificate.not_valid_after_utc - now <= life / 3


def fault(wanted: Certificate, certificate: bytes, key: bytes, authority: bytes, now: datetime) -> str:
    """Why a certificate (all PEM) is not, or not for much longer, what is wanted; '' when it is."""
    try:
        found = x509.load_pem_x509_certificate(certificate)
        private = serialization.load_pem_private_key(key, None)
        found.verify_directly_issued_by(x509.load_pem_x509_certificate(authority))
    except InvalidSignature:
        return FOREIGN
    except (ValueError, TypeError):
        return "it is damaged"
    if found.public_key() != private.public_key():
        return "its key is another's"
    if not _says(found, wanted):
        return "it says something else"
    return "it nears its end" if due(found, now) else ""


def signing_pair(private: bytes | None = None) -> tuple[bytes, bytes]:
    """A private key, new unless given, and its public key; PEM."""
    private = private or private_pem(ec.generate_private_key(ec.SECP256R1()))
    public = serialization.load_pem_private_key(private, None).public_key()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return private, public.public_bytes(serialization.Encoding.PEM, form)


def private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A private key as PKCS#8 PEM, not encrypted."""
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


def _subject(wanted: Certificate) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, wanted.common_name)]
    if wanted.organization:
        parts.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, wanted.organization))
    return x509.Name(parts)


def _names(wanted: Certificate) -> list[x509.GeneralName]:
    def name(text: str) -> x509.GeneralName:
        try:
            return x509.IPAddress(ip_address(text))
        except ValueError:
            return x509.DNSName(text)

    return [name(text) for text in dict.fromkeys(wanted.names)]


def _purposes(wanted: Certificate) -> list[x509.ObjectIdentifier]:
    server = [ExtendedKeyUsageOID.SERVER_AUTH] if wanted.server else []
    return server + ([ExtendedKeyUsageOID.CLIENT_AUTH] if wanted.client else [])


def _says(found: x509.Certificate, wanted: Certificate) -> bool:
    """Whether the certificate says of its owner what is wanted of it."""
    try:
        purposes = list(found.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
        names = set(found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound as missing:
        if missing.oid == x509.ExtendedKeyUsage.oid:
            return False
        names = set()
    return found.subject == _subject(wanted) and names == set(_names(wanted)) and purposes == _purposes(wanted)


def _only_names_of(domain: str) -> x509.NameConstraints:
    """Names of a domain, and no address: a constraint says nothing of kinds of names that it does not mention."""
    every = [x509.IPAddress(ip_network(network)) for network in ("0.0.0.0/0", "::/0")]
    return x509.NameConstraints(permitted_subtrees=[x509.DNSName(domain)], excluded_subtrees=every)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, since: datetime, until: datetime
) -> x509.CertificateBuilder:
    public = key.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _key_usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )
