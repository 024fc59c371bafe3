"""Traefik's access log: what became of a trace's own requests, found by the token in their header."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

HEADER = "request_X-Hdss7-Trace"
LINE = re.compile(
    r"^from (?P<who>\S+): (?P<status>\d+) in (?P<seconds>[\d.]+) s, router (?P<router>\S+), server (?P<server>\S+)$",
    re.MULTILINE,
)
NONE = "none"
GAVE_UP = 499  # the client, before there was an answer
CUT = (GAVE_UP, 502, 504)  # Traefik's words for a server that gave none


@dataclass(frozen=True)
class Logged:
    """A request as Traefik has seen it. who: the location that sent it. router, server: that it chose, or 'none'.

    seconds: until it was answered, or its client gave up.
    """

    who: str
    status: int
    seconds: float
    router: str
    server: str
    line: str


def described(log: str) -> str:
    """Lines of the access log as JSON, in the fields that a trace reads: what else stands there is left out."""
    return "".join(f"{line}\n" for line in _lines(log))


def _lines(log: str) -> Iterator[str]:
    for line in log.splitlines():
        with suppress(ValueError):
            held = json.loads(line[line.index("{") :])
            who = str(held.get(HEADER, "")).partition(".")[2]
            status, seconds = int(held.get("DownstreamStatus", 0)), int(held.get("Duration", 0)) / 1e9
            router, server = held.get("RouterName", NONE), held.get("ServiceAddr", NONE)
            if who:
                yield f"from {who}: {status} in {seconds:.3f} s, router {router}, server {server}"


def logged(text: str) -> tuple[Logged, ...]:
    """What `described` wrote."""
    found = LINE.finditer(text)
    return tuple(
        Logged(one["who"], int(one["status"]), float(one["seconds"]), one["router"], one["server"], one[0])
        for one in found
    )
