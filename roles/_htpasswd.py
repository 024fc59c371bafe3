"""Passwords as an edge compares them: bcrypt, in a file that is for the edge's program alone.

Cost 5 takes 1.4 ms of a worker of nginx, cost 10 takes 45 ms: who guesses must not stop the others. Passwords are long
words out of the vault.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import bcrypt

from provision.errors import InputError
from provision.resources import HashedFile
from provision.secret import Secret

if TYPE_CHECKING:
    from provision.inventory import Host
    from roles._edge_sites import SiteOfEdge
    from roles._site import SiteSettings

FOLDER = "/etc/edge-users"
COST = 5
LONGEST = 72  # bytes; bcrypt knows no more of a password
_PLAIN = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_BCRYPT = b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


Users = Mapping[str, bytes]  # name of a user -> the hash of the password


def files(
    host: Host,
    site: SiteSettings,
    sites: Mapping[str, SiteOfEdge],
    form: Callable[[str, Users], HashedFile],
) -> dict[str, HashedFile]:
    """Name -> the file of its users. form: makes it, for the program that reads it, of a name and its users.

    Raises InputError for a password that is no secret, or too long for bcrypt.
    """
    closed = {f"{label}.{site.domain}": (label, its.users) for label, its in sites.items() if its.users}
    return {
        name: form(
            name,
            {user: hashed(f"{name} {user}", _checked(host, label, user, word)) for user, word in users.items()},
        )
        for name, (label, users) in closed.items()
    }


def folder(name: str) -> str:
    """Where the files of a name's users lie on the edge."""
    return f"{FOLDER}/{name.replace('*', '_')}"


def hashed(whose: str, password: bytes) -> bytes:
    """The hash of a password. The same each time for the same user, so that a deploy finds nothing to change: a salt
    need not be secret, only everybody's own."""
    salt = hashlib.sha256(whose.encode()).digest()[:16]
    text = base64.b64encode(salt).rstrip(b"=").translate(bytes.maketrans(_PLAIN, _BCRYPT))
    return bcrypt.hashpw(password, b"$2b$%02d$%s" % (COST, text))


def _checked(host: Host, label: str, user: str, password: str) -> bytes:
    path = ("edge", "sites", label, "users", user)
    if not isinstance(password, Secret):
        raise InputError(
            f"{'.'.join(path)} is a password in plain text",
            line=host.origin(*path),
            found="Everybody who reads the inventory has it",
            do="Encrypt it: ansible-vault encrypt_string",
        )
    if len(password.encode()) > LONGEST:
        raise InputError(
            f"{'.'.join(path)} is too long",
            line=host.origin(*path),
            found=f"bcrypt knows {LONGEST} bytes of a password and no more",
            do="Choose a shorter one",
        )
    return password.encode()
