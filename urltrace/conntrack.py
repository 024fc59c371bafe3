"""conntrack: where a kernel led the connections that came to a port of its host."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

FLOW = re.compile(
    r"^\S+\s+\d+ .*?src=(?P<source>\S+) dst=\S+ sport=(?P<port>\d+) dport=\d+ "
    r"(?P<lonely>\[UNREPLIED\] )?src=(?P<led>\S+) ",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Flow:
    """source, port: who connected. led: to whom. replied: whether anything came back from there."""

    source: str
    port: int
    led: str
    replied: bool
    line: str


def flows(text: str) -> Iterator[Flow]:
    """The lines of `conntrack -L`."""
    for found in FLOW.finditer(text):
        line = found.string[found.start() :].partition("\n")[0].strip()
        yield Flow(found["source"], int(found["port"]), found["led"], not found["lonely"], line)
