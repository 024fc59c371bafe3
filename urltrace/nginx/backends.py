"""A server that nginx passes requests to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from urltrace.nginx.syntax import Directive

UPSTREAM_PORT = 80  # of a server of an upstream that names none, also for https


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


def backends_of(contexts: Iterable[Directive], name: str, port: int, line: Directive) -> tuple[Backend, ...]:
    """The servers of the upstream with that name in `contexts`, blocks http or stream.

    Where none has it, the name is an address itself. port: of an address that names none. line: what said it.
    """
    named = [one for context in contexts for one in context.all("upstream") if one.arguments[:1] == (name,)]
    return tuple(_read(one) for one in named[0].all("server")) if named else (_direct(name, port, line),)


def _read(line: Directive) -> Backend:
    """A `server` line of an upstream."""
    said = dict(word.partition("=")[::2] for word in line.arguments[1:])
    place = _direct(line.arguments[0], UPSTREAM_PORT, line)
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


def _direct(authority: str, port: int, line: Directive) -> Backend:
    """HOST or HOST:PORT, as a backend of its own."""
    host, colon, number = authority.rpartition(":")
    if not colon or not number.isdigit() or authority.endswith("]"):
        host, number = authority, str(port)
    return Backend(host.strip("[]"), int(number), place=line.place)
