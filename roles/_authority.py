"""The site's own certificate authority: a folder of keys and certificates on the controller.

A file of this folder is written beside its place with its final mode, synced and renamed: a key is never readable by
others, and never half there. A CA is made once and never again; everything else is made anew when it has to be.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from provision.atomic import replace_file
from provision.errors import FailedError, InputError
from provision.resources import Content, Pending
from roles._x509 import Authority, Certificate, common_name_of, fault, signing_pair


@dataclass(frozen=True)
class PendingCertificate(Pending):
    """A certificate that a deploy will make. whose: its common name."""

    whose: str


@dataclass(frozen=True)
class Store:
    """The folder. `now` is when: what is due is judged by it."""

    directory: Path
    now: datetime

    def authority(self, name: str) -> Content:
        """A CA's certificate, PEM; Pending before the first deploy."""
        return self._read(f"{name}.pem") or PendingCertificate("deploy makes the CA", common_name_of(name))

    def certificate(self, name: str) -> bytes | None:
        """A certificate as it is in the folder, PEM, due or not; None when there is none."""
        return self._read(f"{name}.pem")

    def service_accounts(self) -> tuple[Content, Content]:
        """The key pair of service accounts, public and private PEM; never renewed: every token would end with it."""
        public, private = self._read("sa.pem"), self._read("sa-key.pem")
        return public or _pending("sa.pem"), private or _pending("sa-key.pem")

    def pair(self, wanted: Certificate) -> tuple[Content, Content]:
        """Certificate and key, PEM; Pending when a deploy will make them or make them anew."""
        certificate, key = self._read(f"{wanted.name}.pem"), self._read(f"{wanted.name}-key.pem")
        why = self.stale(wanted)
        if why or certificate is None or key is None:
            until = f"deploy makes {wanted.name}.pem ({why})"
            return PendingCertificate(until, wanted.common_name), _pending(f"{wanted.name}-key.pem")
        return certificate, key

    def stale(self, wanted: Certificate) -> str:
        """Why a certificate has to be made; '' when it does not."""
        certificate, key = self._read(f"{wanted.name}.pem"), self._read(f"{wanted.name}-key.pem")
        authority = self._read(f"{wanted.authority}.pem")
        if certificate is None or key is None or authority is None:
            return "there is none"
        return fault(wanted, certificate, key, authority, self.now)

    def renew(self, wanted: Sequence[Certificate], days: int) -> tuple[str, ...]:
        """Makes what is missing, due or no longer right; returns the names of what was made.

        Raises InputError when a CA that has issued certificates is missing or damaged, FailedError when the folder
        can't be written.
        """
        try:
            with self._locked():
                authorities = {
                    name: self._authority(name, [c for c in wanted if c.authority == name])
                    for name in dict.fromkeys(c.authority for c in wanted)
                }
                self._keep_service_accounts(issued=any(self._read(f"{c.name}.pem") for c in wanted))
                made = [certificate for certificate in wanted if self.stale(certificate)]
                for certificate in made:
                    key, pem = authorities[certificate.authority].issue(certificate, self.now, days)
                    self._write(f"{certificate.name}-key.pem", key, 0o600)
                    self._write(f"{certificate.name}.pem", pem, 0o644)
        except OSError as error:
            raise FailedError(
                f"the site's keys could not be written to {self.directory}",
                found=f"{error.strerror or error}",
                do="Give this user write access to the folder, or name another with site.pki",
            ) from None
        return tuple(certificate.name for certificate in made)

    def _authority(self, name: str, issued: Sequence[Certificate]) -> Authority:
        """The CA, made when nothing was ever issued by it."""
        key, certificate = self._read(f"{name}-key.pem"), self._read(f"{name}.pem")
        if certificate is None or key is None:
            issues = [c.name for c in issued if self._read(f"{c.name}.pem") is not None]
            if issues or certificate is not None:
                missing = f"{name}-key.pem" if key is None else f"{name}.pem"
                raise _lost(self.directory / missing, "it is gone", f"{len(issues)} certificates of it are there")
            return self._make_authority(name)
        return self._checked(name, key, certificate)

    def _checked(self, name: str, key: bytes, certificate: bytes) -> Authority:
        try:
            private = serialization.load_pem_private_key(key, None)
        except (ValueError, TypeError):
            raise _lost(self.directory / f"{name}-key.pem", "it is no private key", "it can't be read") from None
        try:
            found = x509.load_pem_x509_certificate(certificate)
        except ValueError:
            raise _lost(self.directory / f"{name}.pem", "it is no certificate", "it can't be read") from None
        if not isinstance(private, ec.EllipticCurvePrivateKey) or private.public_key() != found.public_key():
            raise _lost(self.directory / f"{name}-key.pem", "it is another CA's", f"it does not belong to {name}.pem")
        if found.not_valid_after_utc <= self.now:
            raise _lost(self.directory / f"{name}.pem", "it has ended", f"on {found.not_valid_after_utc:%Y-%m-%d}")
        return Authority(private, found)

    def _make_authority(self, name: str) -> Authority:
        made = Authority.new(name, self.now)
        key, certificate = made.pem
        self._write(f"{name}-key.pem", key, 0o600)
        self._write(f"{name}.pem", certificate, 0o644)
        return made

    def _keep_service_accounts(self, *, issued: bool) -> None:
        """The key pair that signs tokens, made with the CA and, as the CA, never again."""
        private, public = self._read("sa-key.pem"), self._read("sa.pem")
        if private and public:
            return
        if private is None and issued:
            raise _lost(self.directory / "sa-key.pem", "it is gone", "every pod's token is signed with it")
        private, public = signing_pair(private)
        self._write("sa-key.pem", private, 0o600)
        self._write("sa.pem", public, 0o644)

    def _read(self, name: str) -> bytes | None:
        try:
            return (self.directory / name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise InputError(
                f"{self.directory / name} can't be read",
                found=error.strerror or str(error),
                do="Run as the user who owns the keys, or name another folder with site.pki",
            ) from None

    def _write(self, name: str, data: bytes, mode: int) -> None:
        replace_file(self.directory / name, data, mode)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """The folder, private, and nobody else's while it changes."""
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.directory.chmod(0o700)
        for key in self.directory.glob("*-key.pem"):
            key.chmod(0o600)
        handle = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def at(directory: Path) -> Store:
    """The folder as it is now."""
    return Store(directory, datetime.now(UTC))


def _pending(what: str) -> Pending:
    return Pending(f"deploy makes {what}")


def _lost(path: Path, what: str, found: str) -> InputError:
    return InputError(
        f"{path}: {what}",
        found=found,
        do=f"Restore it from a backup. Without one the cluster's trust can't be kept: move {path.parent} away to begin "
        "with a new CA, which every host then refuses until its old certificates are removed",
    )
