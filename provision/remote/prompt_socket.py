"""A TCP socket that acknowledges what it receives at once."""

from __future__ import annotations

import socket
from typing import Self


class PromptSocket(socket.socket):
    """A socket for small messages back and forth with a peer that leaves Nagle's algorithm on.

    sshd does so for every exec without a terminal: it sends its next packet once the last one is acknowledged, and
    Linux delays acknowledgements by up to 40 ms. TCP_QUICKACK does not last (tcp(7)), so it is set again and again.
    """

    @classmethod
    def of(cls, connected: socket.socket) -> Self:
        """The same connection, which `connected` holds no longer."""
        timeout = connected.gettimeout()
        made = cls(connected.family, connected.type, connected.proto, fileno=connected.detach())
        made.settimeout(timeout)
        return made

    def recv(self, size: int, flags: int = 0) -> bytes:
        """As socket.recv. What it returns has been acknowledged."""
        data = super().recv(size, flags)
        self.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        return data
