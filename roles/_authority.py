"""The site's own certificate authority: a folder of keys and certificates on the controller.

A file of this folder is written beside its place with its final mode, synced and renamed: a key is never readable by
others, and never half there. A CA is made once, and replaced only on a person's word (roles/_rotation.py); everything
else is made anew when it has to be.
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
from roles._kept import read_kept
from roles._rotation import Phase, next_name, not_begun, not_issued, under_way
from roles._x509 import FOREIGN, Authority, Certificate, fault, signing_pair


@dataclass(frozen=True)
class PendingCertificate(Pending):
    """A certificate that a deploy will make. whose: its common name."""

    whose: str


@dataclass(frozen=True)
class Store:
    """The folder. `now` is when: what is due is judged by it. phase: how far the replacement of the CAs is.

    domain: that of the edge, whose CA may issue for its names alone; '': the folder is the cluster's.
    """

    directory: Path
    now: datetime
    phase: Phase = Phase.NONE
    domain: str = ""

    def common_name(self, authority: str) -> str:
        """The common name of one of the folder's CAs, by the name of its file."""
        return f"edge CA of {self.domain}"[:64] if self.domain else f"kubernetes-{authority}"

    def authority(self, name: str) -> Content:
        """The CAs that are trusted by this name, PEM, one after the other; Pending before a deploy has made them."""
        found = [self._read(f"{each}.pem") for each in self.trusted(name)]
        if None in found:
            return PendingCertificate("deploy makes the CA", self.common_name(name))
        return b"".join(filter(None, found))

    def trusted(self, name: str) -> tuple[str, ...]:
        """The CAs that hosts trust by this name: their files' names, without .pem."""
        if self.phase in (Phase.TRUST, Phase.ISSUE):
            return (name, next_name(name))
        return (self.issuer(name),)

    def issuer(self, name: str) -> str:
        """The CA that certificates of this name are issued by: its file's name, without .pem."""
        later = self._read(f"{next_name(name)}.pem") is not None
        if self.phase is Phase.ISSUE or (self.phase is Phase.DISTRUST and later):
            return next_name(name)
        return name

    def known(self, name: str) -> bytes:
        """Those of the trusted CAs that there are already, PEM."""
        return b"".join(filter(None, (self._read(f"{each}.pem") for each in self.trusted(name))))

    def introduced(self, name: str) -> bytes:
        """The next CA, PEM, once certificates are issued by it: every host has to trust it by then. b'' before.

        Also b'' where the old one has ended: nothing works any more that a host could be torn out of.
        """
        later = self.issuer(name) != name and not self.ended(name)
        return self._read(f"{self.issuer(name)}.pem") or b"" if later else b""

    def check(self, wanted: Sequence[Certificate]) -> None:
        """Raises InputError for a step of a replacement that would come too early, or that leaves two CAs behind."""
        for name in _authorities(wanted):
            later = self._read(f"{next_name(name)}.pem") is not None
            if self.phase is Phase.NONE and later:
                raise under_way(self.directory, name)
            if self.phase is Phase.ISSUE and not later and not self.ended(name):
                raise not_begun(self.directory, name)
            old = [f"{c.name}.pem" for c in wanted if c.authority == name and self.stale(c) == FOREIGN]
            if self.phase is Phase.DISTRUST and later and old:
                raise not_issued(self.directory, old)

    def ended(self, name: str) -> bool:
        """Whether a CA has ended: nobody trusts it any more. False for one that can't be read."""
        try:
            return x509.load_pem_x509_certificate(self._read(f"{name}.pem") or b"").not_valid_after_utc <= self.now
        except ValueError:
            return False

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
        authority = self._read(f"{self.issuer(wanted.authority)}.pem")
        if certificate is None or key is None or authority is None:
            return "there is none"
        return fault(wanted, certificate, key, authority, self.now)

    def renew(self, wanted: Sequence[Certificate], days: int) -> tuple[str, ...]:
        """Makes what is missing, due or no longer right; returns the names of what was made.

        Raises InputError when a CA that has issued certificates is missing or damaged and for a step of a replacement
        that comes too early, FailedError when the folder can't be written.
        """
        self.check(wanted)
        names = _authorities(wanted)
        trusted = {name: self.known(name) for name in names}
        try:
            with self._locked():
                authorities = {name: self._issuing(name, [c for c in wanted if c.authority == name]) for name in names}
                if not self.domain:
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
        changed = (name for name in names if self.known(name) != trusted[name])
        return (*changed, *(certificate.name for certificate in made))

    def _issuing(self, name: str, issued: Sequence[Certificate]) -> Authority:
        """The CA that issues now; the next one is made before it is needed, and takes the old one's place after."""
        if self.phase is Phase.DISTRUST and self.issuer(name) != name:
            self._replace_authority(name)
        if self.phase is Phase.TRUST or (self.phase is Phase.ISSUE and self.ended(name)):
            self._authority(next_name(name), (), self.common_name(name))
        return self._authority(self.issuer(name), issued, self.common_name(name))

    def _replace_authority(self, name: str) -> None:
        """Puts the next CA in the old one's place. Cut anywhere, it is done once more from the start."""
        later = next_name(name)
        for part, mode in (("-key.pem", 0o600), (".pem", 0o644)):
            self._write(f"{name}{part}", self._read(f"{later}{part}") or b"", mode)
        (self.directory / f"{later}.pem").unlink()
        (self.directory / f"{later}-key.pem").unlink()

    def _authority(self, name: str, issued: Sequence[Certificate], common_name: str) -> Authority:
        """The CA, made when nothing was ever issued by it."""
        key, certificate = self._read(f"{name}-key.pem"), self._read(f"{name}.pem")
        if certificate is None or key is None:
            issues = [c.name for c in issued if self._read(f"{c.name}.pem") is not None]
            if issues or certificate is not None:
                missing = f"{name}-key.pem" if key is None else f"{name}.pem"
                raise self._lost(missing, "it is gone", f"{len(issues)} certificates of it are there")
            return self._make_authority(name, common_name)
        return self._checked(name, key, certificate)

    def _checked(self, name: str, key: bytes, certificate: bytes) -> Authority:
        try:
            private = serialization.load_pem_private_key(key, None)
        except (ValueError, TypeError):
            raise self._lost(f"{name}-key.pem", "it is no private key", "it can't be read") from None
        try:
            found = x509.load_pem_x509_certificate(certificate)
        except ValueError:
            raise self._lost(f"{name}.pem", "it is no certificate", "it can't be read") from None
        if not isinstance(private, ec.EllipticCurvePrivateKey) or private.public_key() != found.public_key():
            raise self._lost(f"{name}-key.pem", "it is another CA's", f"it does not belong to {name}.pem")
        if found.not_valid_after_utc <= self.now:
            raise InputError(
                f"{self.directory / name}.pem: the CA has ended",
                found=f"It ended on {found.not_valid_after_utc:%Y-%m-%d}, and every certificate with it",
                do=self._begin_anew
                if self.domain
                else "Set pki.rotate to 'issue' and deploy to all hosts, then 'distrust': docs/certificates.md",
            )
        return Authority(private, found)

    def _make_authority(self, name: str, common_name: str) -> Authority:
        made = Authority.new(common_name, self.now, self.domain)
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
            raise self._lost("sa-key.pem", "it is gone", "every pod's token is signed with it")
        private, public = signing_pair(private)
        self._write("sa-key.pem", private, 0o600)
        self._write("sa.pem", public, 0o644)

    def _read(self, name: str) -> bytes | None:
        return read_kept(self.directory / name)

    def _write(self, name: str, data: bytes, mode: int) -> None:
        replace_file(self.directory / name, data, mode)

    @property
    def _begin_anew(self) -> str:
        return f"Move {self.directory} away and deploy: a new CA is made, which clients have to trust"

    def _lost(self, file: str, what: str, found: str) -> InputError:
        cluster = (
            f"Without one the cluster's trust can't be kept: move {self.directory} away to begin with a new CA, which "
            "every host then refuses until its old certificates are removed"
        )
        rest = f"Without one: {self._begin_anew}" if self.domain else cluster
        return InputError(f"{self.directory / file}: {what}", found=found, do=f"Restore it from a backup. {rest}")

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


def at(directory: Path, phase: Phase = Phase.NONE) -> Store:
    """The folder as it is now."""
    return Store(directory, datetime.now(UTC), phase)


def _authorities(wanted: Sequence[Certificate]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.authority for each in wanted))


def _pending(what: str) -> Pending:
    return Pending(f"deploy makes {what}")
