"""What ACME needs on the controller: keys of accounts, the certificate, and what an order failed for."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from provision.atomic import replace_file
from provision.decoding import decode
from provision.errors import FailedError
from roles._acme import Wanted
from roles._kept import read_kept
from roles._x509 import private_pem

BEGIN = b"-----BEGIN"


class Failure(msgspec.Struct, frozen=True):
    """An order that failed. type, detail: of the server's problem document. again: before then it is not repeated."""

    directory: str
    contact: str
    names: tuple[str, ...]
    type: str
    detail: str
    again: datetime

    def holds(self, wanted: Wanted, now: datetime) -> bool:
        """Whether the same order would come too early."""
        asked = (wanted.directory, wanted.contact, wanted.names)
        return now < self.again and asked == (self.directory, self.contact, self.names)


@dataclass(frozen=True)
class Folder:
    """`<pki>/edge/acme`: 0700, every file 0600. Key and chain are one file, so they always fit."""

    directory: Path
    domain: str

    def certificate(self, server: str = "") -> bytes | None:
        """Key and chain, PEM; None where there is none. server: only one that was ordered at this directory URL."""
        ordered, begin, rest = (self._read(self._certificate) or b"").partition(BEGIN)
        if not begin or (server and ordered.decode("utf-8", "replace").strip() != server):
            return None
        return begin + rest

    def keep(self, wanted: Wanted, pem: bytes) -> None:
        """A new certificate, key and chain; what failed before is over."""
        self._write(self._certificate, f"{wanted.directory}\n".encode() + pem)
        with suppress(FileNotFoundError):
            (self.directory / self._failed).unlink()

    def account(self, server: str) -> bytes:
        """The key of the account at a directory URL, PEM; made at the first use."""
        name = f"account-{hashlib.sha256(server.encode()).hexdigest()[:16]}-key.pem"
        found = self._read(name)
        if found is None:
            found = private_pem(ec.generate_private_key(ec.SECP256R1()))
            self._write(name, found)
        return found

    def failure(self) -> Failure | None:
        """The last order, where it failed."""
        found = self._read(self._failed)
        try:
            return decode(found, Failure) if found else None
        except msgspec.DecodeError:
            return None

    def fail(self, failure: Failure) -> None:
        """Remembers an order that failed."""
        self._write(self._failed, msgspec.json.encode(failure))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One order at a time. Raises FailedError where another one goes on."""
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise self._unwritable(error) from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError:
            raise FailedError(
                f"another run orders a certificate for {self.domain} now", do="Wait until it has ended"
            ) from None
        finally:
            os.close(handle)

    @property
    def path(self) -> Path:
        """The file of the certificate."""
        return self.directory / self._certificate

    @property
    def _certificate(self) -> str:
        return f"{self.domain}.pem"

    @property
    def _failed(self) -> str:
        return f"{self.domain}.failed.json"

    def _read(self, name: str) -> bytes | None:
        return read_kept(self.directory / name)

    def _write(self, name: str, data: bytes) -> None:
        try:
            replace_file(self.directory / name, data, 0o600)
        except OSError as error:
            raise self._unwritable(error) from None

    def _unwritable(self, error: OSError) -> FailedError:
        return FailedError(
            f"the edge's keys could not be written to {self.directory}",
            found=error.strerror or str(error),
            do="Give this user write access to the folder, or name another with site.pki",
        )
