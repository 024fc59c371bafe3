"""HAProxy as the edge's program, read: whom it sends requests to."""

from __future__ import annotations

import re
from dataclasses import dataclass

MAINTENANCE, DRAIN = 1, 8  # of a server's administrative state
STOPPED = re.compile(r"^state T (\d+)$", re.MULTILINE)  # a process (SIGSTOP), of nginx too


@dataclass(frozen=True)
class Server:
    """A server of a backend. out: somebody has left it out. up: its check passes, or it has none."""

    backend: str
    name: str
    address: str
    port: int
    out: bool
    up: bool


@dataclass(frozen=True)
class HAProxy:
    """What its socket has said."""

    servers: tuple[Server, ...]

    def nodes(self, port: int) -> tuple[Server, ...]:
        """The servers at Traefik's port."""
        return tuple(server for server in self.servers if server.port == port)


def read_haproxy(text: str) -> HAProxy:
    """What `show servers state` prints (management guide, 9.3)."""
    rows = [line.split() for line in text.splitlines() if line[:1].isdigit()]
    servers = tuple(
        Server(
            backend=row[1],
            name=row[3],
            address=row[4],
            port=int(row[18]),
            out=bool(int(row[6]) & (MAINTENANCE | DRAIN)),
            up=row[5] == "2",
        )
        for row in rows
        if len(row) > 18
    )
    return HAProxy(servers)
