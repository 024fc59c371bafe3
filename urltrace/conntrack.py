"""conntrack: where a kernel led the connections that came to a port of its host, and those that nobody answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

FLOW = re.compile(
    r"^\S+\s+\d+ (?P<left>\d+) .*?src=(?P<source>\S+) dst=(?P<to>\S+) sport=\d+ dport=(?P<port>\d+) "
    r"(?P<lonely>\[UNREPLIED\] )?src=(?P<led>\S+) ",
    re.MULTILINE,
)
FORGOTTEN = 120  # seconds after the last packet, by default, of a connection that nobody has answered
RECENT = 10


@dataclass(frozen=True)
class Flow:
    """source: who connected. target: ADDRESS:PORT that it asked for. led: who was to answer it. waits: nobody has
    answered the connection, which was begun just now.
    """

    source: str
    target: str
    led: str
    waits: bool
    line: str


def flows(text: str) -> Iterator[Flow]:
    """The lines of `conntrack -L`."""
    for found in FLOW.finditer(text):
        line = text[found.start() :].partition("\n")[0].strip()
        waits = bool(found["lonely"]) and int(found["left"]) > FORGOTTEN - RECENT
        yield Flow(found["source"], f"{found['to']}:{found['port']}", found["led"], waits, line)
