"""Host keys, and the lines of known_hosts that are about one."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class HostKey:
    """A public key as known_hosts writes it: its kind ('ssh-ed25519') and base64."""

    kind: str
    base64: str

    @staticmethod
    def of(key: Any) -> HostKey:
        """The key that a paramiko.PKey is."""
        return HostKey(key.get_name(), key.get_base64())

    @property
    def fingerprint(self) -> str:
        """As ssh-keygen -l shows it: `SHA256:…`, with the kind of key before it."""
        digest = hashlib.sha256(base64.b64decode(self.base64)).digest()
        return f"{self.kind} SHA256:{base64.b64encode(digest).decode().rstrip('=')}"


def is_key_of(line: str, name: str, kind: str) -> bool:
    """Whether a line of known_hosts gives a key of this kind for exactly this name, which may stand there hashed."""
    from paramiko import HostKeys

    parts = line.split()
    if len(parts) < 3 or parts[1] != kind:
        return False
    return any(
        name == known or (known[:3] == "|1|" and HostKeys.hash_host(name, known) == known)
        for known in parts[0].split(",")
    )
