"""ansible-vault's format, written: only tests need that."""

from __future__ import annotations

import hashlib
import hmac
import os
from binascii import hexlify
from textwrap import indent

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from provision.inventory.vault import HEADER, ITERATIONS


def encrypted(text: str | bytes, password: str = "pass", label: str = "", salt: bytes | None = None) -> str:
    """As `ansible-vault encrypt` writes it; with a vault id `label` as version 1.2."""
    data = text.encode() if isinstance(text, str) else text
    salt = os.urandom(32) if salt is None else salt
    keys = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ITERATIONS, 80)
    rest = 16 - len(data) % 16
    encryptor = Cipher(algorithms.AES(keys[:32]), modes.CTR(keys[64:])).encryptor()
    ciphertext = encryptor.update(data + bytes([rest]) * rest) + encryptor.finalize()
    digest = hmac.digest(keys[32:64], ciphertext, "sha256")
    body = hexlify(b"\n".join(map(hexlify, (salt, digest, ciphertext)))).decode()
    lines = [f"{HEADER};1.2;AES256;{label}" if label else f"{HEADER};1.1;AES256"]
    return "\n".join([*lines, *(body[i : i + 80] for i in range(0, len(body), 80)), ""])


def value(text: str | bytes, password: str = "pass", label: str = "") -> str:
    """As `ansible-vault encrypt_string` writes it: what follows `name: ` in YAML."""
    return "!vault |\n" + indent(encrypted(text, password, label), " " * 10)
