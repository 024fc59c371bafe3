"""Plain data as typed structs: msgspec's `convert` and `json.decode`, one thread at a time.

msgspec (0.22.0) works out what a struct is made of when it is first asked for it. Another thread that asks meanwhile
reads a half-made description, and the process ends with a segmentation fault. Hosts are handled in threads.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_ONE_AT_A_TIME = threading.RLock()  # again by the same thread: a dec_hook may convert


def convert(value: Any, kind: type[T], *, strict: bool = True) -> T:
    """The value as this type. Raises msgspec.ValidationError. strict: texts are not taken for numbers."""
    with _ONE_AT_A_TIME:
        return msgspec.convert(value, kind, strict=strict)


def decode(text: bytes | str, kind: type[T], dec_hook: Callable[[type, Any], Any] | None = None) -> T:
    """The value that JSON holds. Raises msgspec.DecodeError for what is no JSON, or not of this type."""
    with _ONE_AT_A_TIME:
        return msgspec.json.decode(text, type=kind, dec_hook=dec_hook)
