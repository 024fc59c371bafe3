"""One request and its answer, as curl saw it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from urltrace.evidence import Answer

# what curl writes to its errors after the transfer: -w of this text
FORMAT = (
    "%{stderr}exit=%{exitcode} connect=%{time_connect} first=%{time_starttransfer} total=%{time_total} "
    "from=%{remote_ip} port=%{local_port}\\n"
)
STATS = re.compile(r"exit=(?P<exit>\d+) connect=(?P<connect>[\d.]+) first=(?P<first>[\d.]+) total=(?P<total>[\d.]+)")
PORT = re.compile(r" port=(\d+)$", re.MULTILINE)
NO_WAY = ("No route to host", "is unreachable", "Invalid argument")  # as the kernel says it, in curl's words
INSTANT = 1.0  # seconds: a refusal is instant; what takes longer found no way to the address
Outcome = Literal["answered", "refused", "unreachable", "no connection", "silent", "closed", "no name", "tls", "failed"]
WORDS: dict[Outcome, str] = {
    "answered": "answered",
    "refused": "the connection was refused",
    "unreachable": "there is no way to the address",
    "no connection": "the connection timed out",
    "silent": "it connected, and no answer came",
    "closed": "it connected, and the connection was closed without an answer",
    "no name": "the name was not resolved",
    "tls": "TLS failed",
    "failed": "the request failed",
}
TIMED_OUT, REFUSED, CLOSED, NO_NAME, TLS = 28, 7, (52, 55, 56), 6, (35, 51, 53, 58, 59, 60, 77, 83)


@dataclass(frozen=True)
class Exchange:
    """connect, first, total: seconds until connected, until the first byte, in all. leads_to: where it redirects.

    cut: the answer began, and did not end in time. port: that the request was sent from, 0 where it is not known.
    """

    answer: Answer
    outcome: Outcome
    status: int = 0
    server: str = ""
    body: str = ""
    leads_to: str = ""
    cut: bool = False
    connect: float = 0.0
    first: float = 0.0
    total: float = 0.0
    port: int = 0

    @property
    def ok(self) -> bool:
        """Whether it was answered, and not with an error."""
        return self.outcome == "answered" and self.status < 400

    @property
    def unserved(self) -> bool:
        """Whether it is Traefik's own 404: no router."""
        return self.status == 404 and self.body == "404 page not found"

    @property
    def by_nginx(self) -> bool:
        """Whether nginx itself wrote the answer: an error page of its own."""
        return self.body.endswith("<center>nginx")

    @property
    def by_haproxy(self) -> bool:
        """Whether HAProxy itself wrote the answer: an error page of its own, or one of the edge's."""
        return self.body.endswith("<h1>haproxy") or (self.body.startswith("edge: ") and self.status != 404)

    @property
    def by_edge(self) -> bool:
        """Whether the program of the edge wrote the answer."""
        return self.by_nginx or self.by_haproxy

    def __str__(self) -> str:
        if self.outcome != "answered":
            return f"{WORDS[self.outcome]} after {self.total:.1f} s"
        return f"{self.status}{f' {self.body!r}' if self.body and not self.body.startswith('[') else ''}"


def read_exchange(answer: Answer) -> Exchange:
    """An exchange out of curl's output and errors."""
    found = STATS.search(answer.errors)
    connect, first, total = (float(found[name]) if found else 0.0 for name in ("connect", "first", "total"))
    head, _, body = answer.output.partition("\n\n")
    lines = head.split("\n")
    status = re.match(r"HTTP/[\d.]+ (\d{3})", lines[0])
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    port = PORT.search(answer.errors)
    code = int(found["exit"]) if found else answer.code
    return Exchange(
        answer=answer,
        outcome=_outcome(code, bool(status), connect, total, answer.errors),
        status=int(status[1]) if status else 0,
        server=headers.get("server", ""),
        body=body.strip(),
        leads_to=headers.get("location", ""),
        cut=bool(status) and code == TIMED_OUT,
        connect=connect,
        first=first,
        total=total,
        port=int(port[1]) if port else 0,
    )


def _outcome(code: int, status: bool, connect: float, total: float, errors: str) -> Outcome:
    if status:
        return "answered"
    if code == TIMED_OUT:
        return "silent" if connect else "no connection"
    if code == REFUSED:
        return "refused" if total < INSTANT and not any(said in errors for said in NO_WAY) else "unreachable"
    if code in CLOSED:
        return "closed"
    if code == NO_NAME:
        return "no name"
    return "tls" if code in TLS else "failed"
