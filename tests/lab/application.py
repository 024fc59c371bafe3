"""An application outside the cluster, on a lab's ops host, that can be ill: what it answers depends on the path."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from lab import network
from lab.state import Lab

ADDRESS, PORT = "10.4.7.200", 9100
SILENCE = 30.0  # seconds without a word
EVENTS, BETWEEN = 5, 0.4  # of /events: how many, and seconds from one to the next
RESET = struct.pack("ii", 1, 0)  # SO_LINGER that ends a connection with a reset

OBJECTS = """
apiVersion: v1
kind: Service
metadata: {name: application}
spec: {ports: [{port: 80, targetPort: %(port)d}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: application, labels: {kubernetes.io/service-name: application}}
addressType: IPv4
ports: [{name: "", port: %(port)d}]
endpoints: [{addresses: ["%(address)s"], conditions: {ready: true}}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: application}
spec:
  ingressClassName: traefik
  rules: [%(rules)s]
"""
# a server of gRPC in a pod: Kubernetes' own test image answers grpc.health.v1.Health/Check
GRPC = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: grpc}
spec:
  selector: {matchLabels: {app: grpc}}
  template:
    metadata: {labels: {app: grpc}}
    spec:
      containers:
      - {name: grpc, image: "%s", imagePullPolicy: IfNotPresent, args: [grpc-health-checking, --port=5000]}
---
apiVersion: v1
kind: Service
metadata: {name: grpc, annotations: {traefik.ingress.kubernetes.io/service.serversscheme: h2c}}
spec: {selector: {app: grpc}, ports: [{port: 5000}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: grpc}
spec:
  ingressClassName: traefik
  rules:
  - host: grpc.od.com
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: grpc, port: {number: 5000}}}}]}
"""
RULE = (
    '{host: "%s.od.com", http: {paths: [{path: /, pathType: Prefix, '
    "backend: {service: {name: application, port: {number: 80}}}}]}}"
)


def objects(names: Iterable[str]) -> str:
    """The manifests that lead NAME.od.com to the application."""
    return OBJECTS % {"address": ADDRESS, "port": PORT, "rules": ", ".join(RULE % name for name in names)}


class Handler(BaseHTTPRequestHandler):
    """One request. /seen tells what arrived, /count how long the body was; /events sends one event after the other."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        size = int(parse_qs(asked.query).get("bytes", ["0"])[0])
        match asked.path:
            case "/header":
                self._answer(200, b"long header", {f"X-Long-{at}": "x" * 1000 for at in range(size // 1000)})
            case "/500":
                self._answer(500, b"ill")
            case "/empty":
                self.close_connection = True
            case "/reset":
                self._reset()
            case "/silence":
                time.sleep(SILENCE)
                self.close_connection = True
            case "/seen":
                self._answer(200, json.dumps(dict(self.headers)).encode())
            case "/events":
                self._events()
            case _:
                self._answer(200, b"well")

    def do_POST(self) -> None:
        length, read = int(self.headers.get("Content-Length", 0)), 0
        while chunk := self.rfile.read(min(65536, length - read)):
            read += len(chunk)
        if urlsplit(self.path).path == "/count":
            self._answer(200, str(read).encode())
        else:
            self.do_GET()

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _reset(self) -> None:
        """Half of an answer, then a reset."""
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"x" * 500)
        time.sleep(0.2)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.close_connection = True

    def _events(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for number in range(EVENTS):
            self.wfile.write(f"data: {number}\n\n".encode())
            time.sleep(BETWEEN)
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is logged."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024


@contextmanager
def application(lab: Lab) -> Iterator[None]:
    """It answers at ADDRESS:PORT of this lab."""
    server = _Server((ADDRESS, PORT), Handler, bind_and_activate=False)
    server.socket.close()
    server.socket = network.socket_inside(network.namespace(lab, lab.topology().ops.name))
    server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.server_bind()
    server.server_activate()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
