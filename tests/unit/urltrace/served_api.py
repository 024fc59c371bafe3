"""`kubectl proxy --unix-socket=PATH`, as far as a trace needs it: an API that is not ready, one object of a kind."""

from __future__ import annotations

import json
import socketserver
import sys
from http.server import BaseHTTPRequestHandler
from typing import Any

KINDS = {"pods": "PodList", "ingresses": "IngressList", "ingressclasses": "IngressClassList"}
ITEMS: dict[str, list[dict[str, Any]]] = {
    "pods": [{"metadata": {"name": "a"}, "spec": {"volumes": [{"secret": {"secretName": "of-a-pod"}}]}}],
    "ingresses": [
        {
            "metadata": {
                "name": name,
                "namespace": namespace,
                "annotations": {"x": '{"namespace": "y", "kind": "List"}'},
            },
            "spec": {"tls": [{"hosts": ["a.od.com"], "secretName": secret}]},
        }
        for name, namespace, secret in (("a", "default", "web"), ("b", "other", "web"), ("c", "default", "gone"))
    ],
}


class Api(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        kind = path.rpartition("/")[2]
        listed = {"kind": KINDS.get(kind, "List"), "items": ITEMS.get(kind, [])}
        # an API server writes lines for curl, and does not for other programs
        text = json.dumps(listed, indent=2) if kind in KINDS else json.dumps(listed)
        body = b"[-]etcd failed" if path == "/readyz" else text.encode()
        self.send_response(500 if path == "/readyz" else 404 if path.endswith("/secrets/gone") else 200)
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
