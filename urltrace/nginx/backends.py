"""A server that nginx passes requests to."""

from __future__ import annotations

from dataclasses import dataclass

from urltrace.nginx.syntax import Directive


@dataclass(frozen=True)
class Backend:
    """A server of an upstream. max_fails 0: it is never left out."""

    address: str
    port: int
    down: bool = False
    backup: bool = False
    max_fails: int = 1
    fail_timeout: str = "10s"
    place: str = ""

    def __str__(self) -> str:
        marks = " ".join(name for name in ("down", "backup") if getattr(self, name))
        return f"{self.address}:{self.port}{f' {marks}' if marks else ''}"


def read_backend(line: Directive, port: int) -> Backend:
    """A `server` line of an upstream. port: where it names none."""
    said = dict(word.partition("=")[::2] for word in line.arguments[1:])
    place = direct(line.arguments[0], port, line)
    fails = said.get("max_fails", "1")
    return Backend(
        address=place.address,
        port=place.port,
        down="down" in said,
        backup="backup" in said,
        max_fails=int(fails) if fails.isdigit() else 1,
        fail_timeout=said.get("fail_timeout", "10s"),
        place=line.place,
    )


def direct(authority: str, port: int, line: Directive) -> Backend:
    """HOST or HOST:PORT, as a backend of its own."""
    host, colon, number = authority.rpartition(":")
    if not colon or not number.isdigit() or authority.endswith("]"):
        host, number = authority, str(port)
    return Backend(host.strip("[]"), int(number), place=line.place)
