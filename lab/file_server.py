"""The ops host's file server: plain HTTP over one folder, inside the ops host's namespace."""

from __future__ import annotations

import socket
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from lab.network import socket_inside

PORT = 80
IDLE = 3600.0  # seconds between two looks at whether to stop: never; it ends with its process


class Handler(SimpleHTTPRequestHandler):
    """Files and listings. HTTP/1.1, so that apt asks for all its packages over one connection."""

    protocol_version = "HTTP/1.1"
    timeout = 60

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: who fetched what is in the journals of those who fetched."""


class FileServer(ThreadingHTTPServer):
    """Listens on a socket that was made elsewhere."""

    def __init__(self, listener: socket.socket, directory: Path) -> None:
        handler = partial(Handler, directory=str(directory))
        super().__init__(listener.getsockname(), handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener


def serve(namespace: Path, directory: Path) -> None:
    """Serve `directory` on port 80 of a namespace, until the process ends. The folder may come into being later."""
    listener = socket_inside(namespace)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("0.0.0.0", PORT))
    listener.listen(64)
    FileServer(listener, directory).serve_forever(poll_interval=IDLE)
