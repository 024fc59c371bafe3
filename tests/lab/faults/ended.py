"""Certificates that have ended: every one but the CAs', on the controller and on every host, read by all programs."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from lab.state import Lab
from tests.lab.faults.testbed import Bench, await_none
from tests.lab.typed import HOSTS

PEM = serialization.Encoding.PEM
AUTHORITIES = ("ca.pem", "front-proxy-ca.pem")
FILES = "/opt/etcd/certs/*.pem /opt/kubernetes/server/bin/cert/*.pem /opt/kubernetes/server/bin/conf/*.kubeconfig"
DEAD = 30  # seconds until the API refuses everybody


@contextmanager
def ended(bench: Bench) -> Iterator[None]:
    """All of them ended a month ago. Nobody's to undo: the next deploy has to."""
    new = _past(Lab.named(bench.name).directory / "pki")
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda host: _replace(bench, host, new), HOSTS))
        # a program that can't come up is restarted all the same: supervisorctl says so with its exit code
        list(pool.map(lambda host: bench.on(host, "supervisorctl restart all >/dev/null 2>&1; true"), HOSTS))
    await_none(lambda: "the API still answers" if _answers(bench) else "", DEAD, "certificates have ended")
    yield


def _past(folder: Path) -> Mapping[bytes, bytes]:
    """Makes every certificate of the folder one that has ended: the new text by the old one."""
    new: dict[bytes, bytes] = {}
    for path in folder.glob("*.pem"):
        old = path.read_bytes()
        if path.name not in AUTHORITIES and b"BEGIN CERTIFICATE" in old:
            issuer = next(ca for ca in AUTHORITIES if _issued(old, (folder / ca).read_bytes()))
            key = (folder / issuer.replace(".pem", "-key.pem")).read_bytes()
            new[old] = _again(x509.load_pem_x509_certificate(old), key)
            path.write_bytes(new[old])
    assert new
    return new


def _issued(certificate: bytes, authority: bytes) -> bool:
    found, ca = (x509.load_pem_x509_certificate(pem) for pem in (certificate, authority))
    return found.issuer == ca.subject


def _again(found: x509.Certificate, authority: bytes) -> bytes:
    """The same certificate of the same key, for the year that ended a month ago."""
    until = datetime.now(UTC) - timedelta(days=30)
    builder = x509.CertificateBuilder(
        issuer_name=found.issuer,
        subject_name=found.subject,
        public_key=found.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=until - timedelta(days=365),
        not_valid_after=until,
        extensions=list(found.extensions),
    )
    key = serialization.load_pem_private_key(authority, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return builder.sign(key, hashes.SHA256()).public_bytes(PEM)


def _replace(bench: Bench, host: str, new: Mapping[bytes, bytes]) -> None:
    """Puts them into the files of a host, kubeconfigs too, in place: owner and mode stay."""
    pairs = {**new, **{base64.b64encode(old): base64.b64encode(text) for old, text in new.items()}}
    for path in bench.on(host, f"ls {FILES} 2>/dev/null; true").split():
        before = base64.b64decode(bench.on(host, f"base64 {path}"))
        after = before
        for old, text in pairs.items():
            after = after.replace(old, text)
        if after != before:
            bench.on(host, f"echo {base64.b64encode(after).decode()} | base64 -d >{path}")


def _answers(bench: Bench) -> bool:
    try:
        bench.kubectl("get nodes")
    except AssertionError:
        return False
    return True
