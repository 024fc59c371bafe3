"""ansible-vault's format, read: AES256 as versions 1.1 and 1.2. Pure: passwords come from whoever makes the Vault.

The format as ansible-core 2.19 writes it: a header `$ANSIBLE_VAULT;1.2;AES256;LABEL`, then hexadecimal digits of three
lines (salt, HMAC, ciphertext), each of them hexadecimal again. Keys are PBKDF2-HMAC-SHA256 of the password and the salt
with 10 000 iterations: 32 bytes for AES-CTR, 32 for the HMAC of the ciphertext, 16 of initial counter.
"""

from __future__ import annotations

import hashlib
import hmac
import threading
from binascii import unhexlify
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from provision.errors import InputError
from provision.secret import SecretText
from provision.spelling import listed

HEADER = "$ANSIBLE_VAULT"
DEFAULT = "default"  # the vault id of a password that was given without one
ITERATIONS = 10_000
_PASSWORDS = "--vault-password-file FILE, --ask-vault-pass or ANSIBLE_VAULT_PASSWORD_FILE"


@dataclass(frozen=True)
class Password:
    """One vault password. label: the vault id that it is meant for; shown: where it is from, for a person.

    read: fetches it; called at most once, and only when something has to be opened. Raises InputError.
    """

    label: str
    shown: str
    read: Callable[[], bytes] = field(repr=False)


class Vault:
    """Opens what was encrypted with one of its passwords. Each key is derived once; none before it is needed."""

    def __init__(self, passwords: Sequence[Password] = ()) -> None:
        self._passwords = tuple(passwords)
        self._lock = threading.RLock()
        self._read: dict[Password, bytes] = {}
        self._keys: dict[tuple[bytes, bytes], bytes] = {}

    @property
    def derived(self) -> int:
        """How many keys were derived so far."""
        return len(self._keys)

    def seal(self, text: str, line: str) -> Sealed:
        """`text`, which stands at `line`, ready to be opened; nothing is read or derived for that."""
        return Sealed(line, text, self)

    def _open(self, envelope: _Envelope, line: str) -> SecretText:
        """What is in it. Raises InputError when none of the passwords opens it."""
        if not self._passwords:
            raise InputError(
                "this is encrypted by ansible-vault, and there is no password to open it",
                line=line,
                found=envelope.named,
                do=f"Give the password: {_PASSWORDS}",
            )
        # the label is a hint that nothing authenticates: as in Ansible, the others are tried after it
        for password in sorted(self._passwords, key=lambda each: each.label != envelope.label):
            keys = self._derive(password, envelope.salt)
            found = hmac.digest(keys[32:64], envelope.ciphertext, "sha256")
            if hmac.compare_digest(found, envelope.digest):
                return _text(_decrypt(envelope.ciphertext, keys[:32], keys[64:]), line)
        tried = listed(each.shown for each in self._passwords)
        raise InputError(
            "no vault password opens this",
            line=line,
            found=f"Tried: {tried}. {envelope.named}".rstrip(),
            do=f"Give the password that it was encrypted with: {_PASSWORDS}",
        )

    def _derive(self, password: Password, salt: bytes) -> bytes:
        with self._lock:
            if password not in self._read:
                self._read[password] = password.read()
            known = (self._read[password], salt)
            if known not in self._keys:
                self._keys[known] = hashlib.pbkdf2_hmac("sha256", *known, ITERATIONS, 80)
            return self._keys[known]


@dataclass(frozen=True)
class Sealed:
    """An encrypted text as it stands at `line`: opened when it is used."""

    line: str
    _text: str = field(repr=False)
    _vault: Vault = field(repr=False, compare=False)

    def open(self) -> SecretText:
        """The text. Raises InputError when it is damaged or of another format, or none of the passwords opens it."""
        return self._vault._open(_Envelope.of(self._text, self.line), self.line)

    def __str__(self) -> str:
        return "an encrypted value"


@dataclass(frozen=True)
class _Envelope:
    """The parts of an encrypted text."""

    label: str
    salt: bytes
    digest: bytes
    ciphertext: bytes

    @staticmethod
    def of(text: str, line: str) -> _Envelope:
        header, *body = text.strip().splitlines() or [""]
        magic, version, cipher, label = [*(part.strip() for part in header.split(";")), "", "", "", ""][:4]
        if magic != HEADER:
            raise InputError(f"a !vault value begins with {HEADER}", line=line, do=_AGAIN)
        if version not in ("1.1", "1.2") or cipher != "AES256":
            found = f"It says version '{version}', cipher '{cipher}'"
            raise InputError(
                "only ansible-vault's AES256, version 1.1 or 1.2, is read", line=line, found=found, do=_AGAIN
            )
        try:
            parts = unhexlify("".join("".join(body).split())).split(b"\n")
            salt, digest, ciphertext = map(unhexlify, parts)
        except ValueError:
            found = "It is not three lines of hexadecimal digits, as ansible-vault writes them"
            raise InputError("the encrypted text is damaged", line=line, found=found, do=_AGAIN) from None
        return _Envelope(label or DEFAULT, salt, digest, ciphertext)

    @property
    def named(self) -> str:
        return f"It was encrypted for the vault id '{self.label}'" if self.label != DEFAULT else ""


_AGAIN = "Encrypt it again with ansible-vault, and copy all its lines."


def _decrypt(ciphertext: bytes, key: bytes, counter: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    decryptor: Any = Cipher(algorithms.AES(key), modes.CTR(counter)).decryptor()
    padded: bytes = decryptor.update(ciphertext) + decryptor.finalize()
    return padded[: -padded[-1]] if padded else b""  # PKCS #7: the last byte says how many were added


def _text(data: bytes, line: str) -> SecretText:
    try:
        return SecretText(data.decode())
    except UnicodeDecodeError as error:
        found = f"byte {error.start} is not UTF-8"
        raise InputError("what was encrypted is not text", line=line, found=found, do="Encrypt UTF-8 text.") from None
