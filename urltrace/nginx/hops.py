"""A backend that is a stream server of the same nginx: role edge sends its requests to the nodes through one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from urltrace.nginx.backends import Backend, backends_of
from urltrace.nginx.syntax import Directive

DEEPEST = 4  # hops one behind the other; more is a loop


def through_hops(main: Directive, backends: Sequence[Backend]) -> tuple[Backend, ...]:
    """The servers that are asked in the end, each once. A backup's servers are backups."""
    return tuple({(one.address, one.port): one for one in reversed(tuple(_ends(main, backends)))}.values())[::-1]


def _ends(main: Directive, backends: Sequence[Backend], depth: int = 0) -> Iterator[Backend]:
    for backend in backends:
        behind = _behind(main, backend) if depth < DEEPEST else None
        if behind is None:
            yield backend
            continue
        for one in _ends(main, behind, depth + 1):
            yield replace(one, backup=one.backup or backend.backup, down=one.down or backend.down)


def _behind(main: Directive, backend: Backend) -> tuple[Backend, ...] | None:
    """What the stream server that listens there proxies to; None where none does."""
    for stream in main.all("stream"):
        for server in stream.all("server"):
            listens = (line.arguments[0] for line in server.all("listen") if line.arguments)
            line = server.first("proxy_pass")
            if f"{backend.address}:{backend.port}" not in listens or line is None or "$" in line.arguments[0]:
                continue
            return backends_of([stream], line.arguments[0], 0, line)
    return None
