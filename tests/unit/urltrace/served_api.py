"""`kubectl proxy --unix-socket=PATH`, as far as a trace needs it: an API that is not ready, one object of a kind."""

from __future__ import annotations

import json
import socketserver
import sys
from http.server import BaseHTTPRequestHandler
from typing import Any

KINDS = {"pods": "PodList", "ingresses": "IngressList"}


class Api(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        listed = {"kind": KINDS.get(path.rpartition("/")[2], "List"), "items": [{"metadata": {"name": "a"}}]}
        body = b"[-]etcd failed" if path == "/readyz" else json.dumps(listed).encode()
        self.send_response(500 if path == "/readyz" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: Any) -> None:
        pass


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


if __name__ == "__main__":
    assert sys.argv[1] == "proxy"
    with Server(sys.argv[2].removeprefix("--unix-socket="), Api) as server:
        print("Starting to serve", flush=True)
        server.serve_forever()
