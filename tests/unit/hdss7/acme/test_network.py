"""Requests to an ACME server whose nonces are refused: RFC 8555, 6.5."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from acme import messages
from cryptography.hazmat.primitives.asymmetric import ec
from josepy.jwa import ES256
from josepy.jwk import JWKEC

from hdss7.acme.order import NONCES, Network


@contextmanager
def server(refused: int, kind: str) -> Iterator[tuple[str, list[str]]]:
    """One that refuses the first requests with an error of that kind. Yields its URL, and the nonces that it got."""
    got: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.answer(200, {})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            got.append(body["protected"])
            problem = {"type": f"urn:ietf:params:acme:error:{kind}", "detail": "no"}
            self.answer(400, problem) if len(got) <= refused else self.answer(200, {"status": "valid"})

        def answer(self, code: int, body: object) -> None:
            text = json.dumps(body).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/problem+json" if code >= 400 else "application/json")
            self.send_header("Replay-Nonce", f"bm9uY2U{len(got) % 10}")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            """Said nowhere."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_port}/order", got
        listening.shutdown()


def network() -> Network:
    return Network(JWKEC(key=ec.generate_private_key(ec.SECP256R1())), alg=ES256)


def test_a_refused_nonce_is_replaced_until_one_is_taken() -> None:
    with server(NONCES - 1, "badNonce") as (url, got):
        assert network().post(url, messages.NewOrder()).status_code == 200
    assert len(got) == len(set(got)) == NONCES


def test_a_server_that_takes_no_nonce_is_not_asked_for_ever() -> None:
    with server(99, "badNonce") as (url, got), pytest.raises(messages.Error, match="badNonce"):
        network().post(url, messages.NewOrder())
    assert len(got) == NONCES


def test_another_refusal_is_not_repeated() -> None:
    with server(99, "rateLimited") as (url, got), pytest.raises(messages.Error, match="rateLimited"):
        network().post(url, messages.NewOrder())
    assert len(got) == 1
