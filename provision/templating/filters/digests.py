"""Filters that encode a text or sum it up."""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

# The namespace that Ansible takes for `to_uuid`.
_NAMESPACE = "361E6D51-FAEC-444A-9079-341386DA8E2E"


def b64encode(value: Any, encoding: str = "utf-8", urlsafe: bool = False) -> str:
    """The bytes of `value` in base 64."""
    encode = base64.urlsafe_b64encode if urlsafe else base64.b64encode
    return encode(str(value).encode(encoding)).decode()


def b64decode(value: Any, encoding: str = "utf-8", urlsafe: bool = False) -> str:
    """The text that base 64 `value` stands for."""
    decode = base64.urlsafe_b64decode if urlsafe else base64.b64decode
    return decode(str(value)).decode(encoding)


def digest(value: Any, hashtype: str = "sha1") -> str:
    """The hexadecimal checksum of `value`. Raises ValueError for an unknown kind."""
    return hashlib.new(hashtype, str(value).encode()).hexdigest()


def to_uuid(value: Any, namespace: str = _NAMESPACE) -> str:
    """The UUID (version 5) of `value`: the same text always gives the same."""
    return str(uuid.uuid5(uuid.UUID(namespace), str(value)))


FILTERS: Mapping[str, Callable[..., Any]] = {
    "b64decode": b64decode,
    "b64encode": b64encode,
    "checksum": digest,
    "hash": digest,
    "md5": partial(digest, hashtype="md5"),
    "sha1": digest,
    "to_uuid": to_uuid,
}
