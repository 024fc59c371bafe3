"""A file of a host, brought to the controller over the one exec that the host is driven by."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from pathlib import Path

from provision.errors import FailedError
from provision.remote.connection import Session
from provision.remote.protocol import Step
from provision.remote.shell import Scripts

CHUNK = 8 << 20  # bytes of one step's output: what is in memory at a time
SECONDS = 120.0

SCRIPTS = Scripts(__file__)


def fetch(session: Session, path: str, sha256: str, size: int, into: Path) -> None:
    """Writes the file at `path` on the host to `into` (0600), which is not there before all of it has come.

    sha256, size: what it has to be. Raises FailedError where the host can't read it or something else comes, OSError
    where it can't be written here.
    """
    beside = into.with_name(f".{into.name}.new")
    digest = hashlib.sha256()
    try:
        with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            for start in range(0, size, CHUNK):
                data = _part(session, path, start // CHUNK)
                digest.update(data)
                file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if digest.hexdigest() != sha256:
            raise FailedError(
                f"{path} changed while it was fetched", found=f"its SHA-256 was {sha256}", do="Run the command again"
            )
        beside.replace(into)
    finally:
        beside.unlink(missing_ok=True)


def _part(session: Session, path: str, number: int) -> bytes:
    result = session.run(Step(SCRIPTS.call("part", path, str(CHUNK), str(number)), timeout=SECONDS))
    try:
        if result.code == 0:
            return base64.b64decode(result.output)
    except binascii.Error:
        pass
    raise FailedError(f"{path} could not be fetched", found=result.errors, do="Run the command again")
