"""A `hdss7_dial` for the inventory that makes every connection slow: each chunk waits, on its way there and back."""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
import time

from lab import network

ONE_WAY = 0.1  # seconds


def dial(host: str, port: int, timeout: float, lab: str) -> socket.socket:
    """As lab.network.dial, 200 ms further away. The socket is one of 127.0.0.1, because its options are TCP's."""
    far = network.dial(host, port, timeout, lab)
    far.settimeout(None)
    with socket.create_server(("127.0.0.1", 0)) as server:
        near = socket.create_connection(server.getsockname(), timeout)
        relay, _ = server.accept()
    for source, target in ((relay, far), (far, relay)):
        late: queue.Queue[tuple[float, bytes]] = queue.Queue()
        threading.Thread(target=_read, args=(source, late), daemon=True).start()
        threading.Thread(target=_write, args=(target, late), daemon=True).start()
    return near


def _read(source: socket.socket, late: queue.Queue[tuple[float, bytes]]) -> None:
    data = b"begin"
    while data:
        try:
            data = source.recv(65536)
        except OSError:
            data = b""
        late.put((time.monotonic() + ONE_WAY, data))


def _write(target: socket.socket, late: queue.Queue[tuple[float, bytes]]) -> None:
    with contextlib.suppress(OSError):
        while True:
            when, data = late.get()
            time.sleep(max(0.0, when - time.monotonic()))
            if not data:
                target.shutdown(socket.SHUT_WR)
                return
            target.sendall(data)
