"""Two clients that stay: a WebSocket that is used all the time, and a download that is read slowly."""

from __future__ import annotations

import base64
import http.client
import os
import re
import socket
from collections.abc import Callable

from provision.traffic.probe import Dialer
from tests.lab.clients import EDGE, dialer
from tests.lab.faults.probes import Probe

SIP = 8192  # bytes a look: at five looks a second a download of half a megabyte takes twelve seconds
TEXT = b"still here"
SAID, PING, PONG = 0x81, 0x89, 0x8A  # first bytes of whole frames (RFC 6455)


class WebSocket:
    """One connection to ws.od.com, made once more only after it broke."""

    def __init__(self, dial: Dialer) -> None:
        self._dial = dial
        self._connection: socket.socket | None = None

    def look(self) -> None:
        """Sends a text and wants it back. Raises OSError when the connection is not the one it was."""
        connection, self._connection = self._connection or self._open(), None
        _send(connection, SAID, TEXT)
        while (heard := _frame(connection)) != (SAID, TEXT):
            kind, data = heard
            if kind != PING:
                raise OSError(f"the WebSocket gave {kind:#x} {data!r}")
            _send(connection, PONG, data)
        self._connection = connection

    def _open(self) -> socket.socket:
        connection = self._dial(EDGE, 80, 5.0)
        key = base64.b64encode(os.urandom(16)).decode()
        lines = ("GET / HTTP/1.1", "Host: ws.od.com", "Upgrade: websocket", "Connection: Upgrade")
        asked = "\r\n".join([*lines, "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}", "", ""])
        connection.sendall(asked.encode())
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            if not (byte := connection.recv(1)):
                raise OSError("the handshake was not answered")
            answer += byte
        if b" 101 " not in answer:
            raise OSError(answer.split(b"\r\n")[0].decode())
        return connection


def _send(connection: socket.socket, kind: int, data: bytes) -> None:
    mask = os.urandom(4)
    masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(data))
    connection.sendall(bytes([kind, 0x80 | len(data)]) + mask + masked)


def _frame(connection: socket.socket) -> tuple[int, bytes]:
    """(kind, data) of a short frame. Raises OSError when none comes."""
    head = connection.recv(2, socket.MSG_WAITALL)
    if len(head) < 2:
        raise OSError("the WebSocket was closed")
    return head[0], connection.recv(head[1], socket.MSG_WAITALL) if head[1] else b""


class Download:
    """The biggest script of Traefik's dashboard, read a sip at a time, over and over."""

    def __init__(self, dial: Dialer) -> None:
        self._dial = dial
        self._path = ""
        self._response: http.client.HTTPResponse | None = None

    def look(self) -> None:
        """Reads on. Raises OSError when it ends before its time."""
        response, self._response = self._response or self._open(), None
        data = response.read(SIP)
        if data or not response.length:
            self._response = response if data else None
            return
        raise OSError(f"the download was cut {response.length} bytes before its end")

    def _open(self) -> http.client.HTTPResponse:
        if not self._path:
            page = self._ask("/dashboard/").read().decode()
            scripts = re.findall(r'(?:src|href)="?([^" >]+\.js)', page)
            sizes = {script: self._ask(f"/dashboard/{script}").length or 0 for script in scripts}
            self._path = f"/dashboard/{max(sizes, key=lambda script: sizes[script])}"
        return self._ask(self._path)

    def _ask(self, path: str) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("traefik.od.com", timeout=5)
        connection.sock = self._dial(EDGE, 80, 5.0)
        connection.request("GET", path)
        return connection.getresponse()


def streams(lab: str) -> tuple[Probe, ...]:
    """Both, to be asked beside other clients."""
    dial = dialer(lab)
    looks: dict[str, Callable[[], None]] = {
        "one WebSocket": WebSocket(dial).look,
        "a slow download": Download(dial).look,
    }
    return tuple(Probe(name, "", look) for name, look in looks.items())
