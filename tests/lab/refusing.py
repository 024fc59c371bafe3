"""An ACME server that refuses one thing: what Pebble never says."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

RESOURCES = ("newNonce", "newAccount", "newOrder")


@dataclass(frozen=True)
class Refusing:
    """directory: its URL. asked: the paths that were, in their order."""

    directory: str
    asked: list[str] = field(default_factory=list)


@contextmanager
def refusing(
    resource: str, status: int, kind: str, detail: str, headers: Mapping[str, str] | None = None
) -> Iterator[Refusing]:
    """A server on 127.0.0.1 that answers one resource of ACME's directory with a problem document (RFC 8555, 6.7)."""
    problem = {"type": f"urn:ietf:params:acme:error:{kind}", "detail": detail, "status": status}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(200, {each: f"{origin}/{each}" for each in RESOURCES})

        def do_HEAD(self) -> None:
            self.answer(200, {})

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == f"/{resource}":
                self.answer(status, problem, headers or {})
            else:
                self.answer(201, {"status": "valid"}, {"Location": f"{origin}/account"})

        def answer(self, code: int, body: object, more: Mapping[str, str] | None = None) -> None:
            made.asked.append(self.path)
            text = json.dumps(body).encode()
            kind = "application/problem+json" if code >= 400 else "application/json"
            self.send_response(code)
            for name, value in {"Content-Type": kind, "Replay-Nonce": "bm9uY2U", **(more or {})}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            """Said nowhere."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        origin = f"http://127.0.0.1:{server.server_port}"
        made = Refusing(f"{origin}/dir")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield made
        server.shutdown()
