"""A server in an upstream that can be taken out: the mark in a rendered file, and the two forms it takes.

A template writes `server 10.4.7.21:81{{ drain(node) }};`. Declared, the mark is nothing; while the node is drained it
is ` down`, which nginx takes for "ask it nothing new, finish what runs" (measured with 1.22.1).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from provision.facts.question import Answers
from provision.resources.base import stamp_question

_MARK = re.compile(rb"\x01drain ([^\x01]+)\x01")
STAMP = "drained"
DOWN = b" down"


def mark(host: str) -> str:
    """What a rendered file carries where a host can be drained."""
    return f"\x01drain {host}\x01"


def hosts(content: bytes) -> frozenset[str]:
    """The hosts that can be drained in this content."""
    return frozenset(name.decode() for name in _MARK.findall(content))


def resolved(content: bytes, drained: Iterable[str]) -> bytes:
    """The content as the program reads it, with these hosts drained."""
    out = {name.encode() for name in drained}
    return _MARK.sub(lambda match: DOWN if match[1] in out else b"", content)


def places(content: bytes) -> dict[str, str]:
    """What stands before each mark on its line -> the host that it is for."""
    found = (line.partition(b"\x01drain ") for line in content.splitlines() if b"\x01drain " in line)
    return {before.decode(): rest.partition(b"\x01")[0].decode() for before, _, rest in found}


def marked(content: bytes, where: Mapping[str, str]) -> bytes:
    """Content as a program read it, with its marks put back."""
    for before, host in where.items():
        pattern = re.compile(rb"^" + re.escape(before.encode()) + rb"(?: down)?(?=;)", re.M)
        content = pattern.sub((before + mark(host)).encode().replace(b"\\", rb"\\"), content)
    return content


def drained(answers: Answers) -> dict[str, str]:
    """host -> the run that drained it, as the edge's own note says."""
    note: str = answers.get(stamp_question(STAMP), "")
    pairs = (part.partition("=") for part in note.split())
    return {host: run for host, _, run in pairs}


def note(now: dict[str, str]) -> str:
    """The note's text: what `drained` reads."""
    return " ".join(f"{host}={run}" for host, run in sorted(now.items()))
