"""What a command leaves on the controller for a later one: a value for each key, in the state folder."""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path
from typing import TypeVar

import msgspec

from provision.atomic import replace_file
from provision.decoding import decode
from provision.folders import state_folder

T = TypeVar("T", bound=msgspec.Struct)


def keep(kind: str, key: str, value: msgspec.Struct) -> None:
    """Keeps a value under its kind and key. If the disk is full, nothing is kept, and the command goes on."""
    with contextlib.suppress(OSError):
        path = _path(kind, key)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_file(path, msgspec.json.encode(value).decode())


def kept(kind: str, key: str, struct: type[T]) -> T | None:
    """What was kept last; None where there is nothing that can be read."""
    try:
        return decode(_path(kind, key).read_bytes(), struct)
    except (OSError, msgspec.MsgspecError):
        return None


def _path(kind: str, key: str) -> Path:
    return state_folder(kind) / f"{hashlib.sha256(key.encode()).hexdigest()[:20]}.json"
