"""Checks of the fields of a resource. Each raises InputError with the form that is expected."""

from __future__ import annotations

import re

from provision.errors import InputError


def check_path(kind: str, path: str) -> None:
    """An absolute path without a trailing slash, `//`, backslash, tab or line break."""
    if not path.startswith("/") or path != path.rstrip("/") or re.search(r"[\n\t\\]|//", path):
        raise InputError(
            f"{kind} {path!r} is not a usable path",
            do="Give an absolute path without a trailing slash, '//', backslash or line break",
        )


def check_mode(kind: str, path: str, mode: str) -> None:
    """Four octal digits as a string: the number 644 would mean mode 1204."""
    if not isinstance(mode, str) or not re.fullmatch(r"[0-7]{4}", mode):
        good = f"{int(str(mode), 8):04o}" if re.fullmatch(r"[0-7]{3,4}", str(mode)) else "0644"
        raise InputError(f"{kind} {path}: mode {mode!r} is not four octal digits in quotes", do=f'Write mode="{good}"')


def check_name(kind: str, what: str, name: str, pattern: str) -> None:
    """The whole of `name` matches `pattern`."""
    if not isinstance(name, str) or not re.fullmatch(pattern, name):
        raise InputError(f"{kind}: {what} {name!r} has an invalid form", do=f"It has to match {pattern}")


def check_sha256(kind: str, name: str, sha256: str) -> None:
    """64 hexadecimal digits."""
    check_name(f"{kind} {name}", "sha256", sha256, "[0-9a-f]{64}")
