"""The code that dataclasses write for themselves, compiled once for all runs, as Python keeps that of modules.

A run makes some 250 dataclasses, whose methods `dataclasses` writes as text and compiles: a third of the time that a
command takes which finds nothing to do.
"""

from __future__ import annotations

import atexit
import contextlib
import dataclasses
import marshal
import os
import stat
import sys
import zlib
from importlib.util import MAGIC_NUMBER
from pathlib import Path
from types import CodeType
from typing import Any

MOST = 5000  # texts: more are those of versions that are gone
SUM = 4  # bytes


def keep_generated_code(path: Path) -> None:
    """From now on what was compiled in an earlier run is taken from this file, and what is new is added at exit.

    A file that somebody else could have written is not read, a damaged one is made anew.
    """
    known = read(path)
    before = len(known)

    def run(text: str, *scopes: Any) -> None:
        code = known.get(text)
        if code is None:
            code = known[text] = compile(text, "<string>", "exec")
        exec(code, *scopes)

    def save() -> None:
        if len(known) > before and not sys.flags.dont_write_bytecode:
            with contextlib.suppress(OSError):
                write(path, known if len(known) <= MOST else {})

    dataclasses.exec = run  # type: ignore[attr-defined] # the name that dataclasses looks up before the builtin's
    atexit.register(save)


def read(path: Path) -> dict[str, CodeType]:
    """What a file has; {} for one that can't be used."""
    try:
        with path.open("rb") as file:
            state = os.fstat(file.fileno())
            if state.st_uid != os.geteuid() or state.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                return {}
            data = file.read()
    except OSError:
        return {}
    head, body = data[: len(MAGIC_NUMBER) + SUM], data[len(MAGIC_NUMBER) + SUM :]
    if head != _head(body):
        return {}
    found = marshal.loads(body)
    return found if isinstance(found, dict) else {}


def write(path: Path, known: dict[str, CodeType]) -> None:
    """Keeps them, for this user and this version of Python alone. Raises OSError."""
    from provision.atomic import replace_file

    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    body = marshal.dumps(known)
    replace_file(path, _head(body) + body)


def _head(body: bytes) -> bytes:
    return MAGIC_NUMBER + zlib.crc32(body).to_bytes(SUM, "big")
