"""Marks in a rendered file, at the places where a program can be made to leave a host out.

A template writes `10.4.7.21:81{{ drain(node) }}`. What the mark becomes is the program's own (LoadBalancer).
"""

from __future__ import annotations

import re
from collections.abc import Callable

_MARK = re.compile(rb"\x01drain ([^\x01]+)\x01")


def mark(host: str) -> str:
    """What a rendered file carries where this host can be drained."""
    return f"\x01drain {host}\x01"


def marked_hosts(content: bytes) -> frozenset[str]:
    """The hosts that can be drained in this content."""
    return frozenset(name.decode() for name in _MARK.findall(content))


def replace_marks(content: bytes, text: Callable[[str], bytes]) -> bytes:
    """The content with what `text` says of a mark's host in place of each mark."""
    return _MARK.sub(lambda match: text(match[1].decode()), content)


def marked_lines(content: bytes) -> dict[bytes, str]:
    """What stands before the first mark of each line that has one -> the host of that mark."""
    found = ((line, _MARK.search(line)) for line in content.splitlines())
    return {line[: match.start()]: match[1].decode() for line, match in found if match}
