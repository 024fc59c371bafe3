"""Passwords as an edge compares them: bcrypt, one line a user.

Cost 5 takes 1.4 ms of a worker of nginx, cost 10 takes 45 ms: who guesses must not stop the others. The file is for
the edge's program alone, and passwords are long words out of the vault.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
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


def files(host: Host, site: SiteSettings, sites: Mapping[str, SiteOfEdge]) -> dict[str, HashedFile]:
    """Name -> the file of its users. Raises InputError for a password that is no secret, or too long for bcrypt."""
    return {
        f"{label}.{site.domain}": HashedFile(
            path=f"{FOLDER}/{label.replace('*', '_')}.{site.domain}",
            content=b"".join(
                user.encode()
                + b":"
                + hashed(f"{label}.{site.domain} {user}", _checked(host, label, user, word))
                + b"\n"
                for user, word in its.users.items()
            ),
            mode="0640",
            group="www-data",  # nginx's workers read it for each request
        )
        for label, its in sites.items()
        if its.users
    }


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
