"""What passes through the edge: who asked and how, the port, events, uploads, gRPC."""

from __future__ import annotations

import http.client
import itertools
import json
import re
import subprocess
import time

import pytest

from lab import commands
from tests.lab.application import BETWEEN, EVENTS
from tests.lab.clients import EDGE, dialer
from tests.lab.entrance import H2C_PORT, ILL, NAME, TRUSTED, WELL, Entrance

SENT = {
    "X-Forwarded-For": "203.0.113.7",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Port": "8443",
    "X-Forwarded-Host": "shop.example.org",
}


@pytest.mark.core
def test_a_trusted_sender_says_who_asks_and_how(entrance: Entrance) -> None:
    seen = entrance.seen(SENT, origin=TRUSTED)
    assert seen["X-Forwarded-For"].split(", ")[0] == "203.0.113.7"
    assert seen["X-Real-Ip"] == "203.0.113.7"
    assert {name: seen[name] for name in SENT if name != "X-Forwarded-For"} == {
        name: value for name, value in SENT.items() if name != "X-Forwarded-For"
    }


def test_a_client_cannot_speak_through_a_trusted_sender(entrance: Entrance) -> None:
    # a load balancer adds the client that it saw to what that client has written
    seen = entrance.seen({"X-Forwarded-For": "6.6.6.6, 203.0.113.7", "X-Forwarded-Proto": "gopher"}, origin=TRUSTED)
    assert "6.6.6.6" not in str(seen)
    assert seen["X-Forwarded-For"].split(", ")[0] == "203.0.113.7"
    assert seen["X-Forwarded-Proto"] == "http"


@pytest.mark.core
def test_nobody_else_is_believed(entrance: Entrance) -> None:
    seen = entrance.seen(SENT)
    assert not set(SENT.values()) & set(seen.values()), seen
    assert seen["X-Forwarded-For"].split(", ")[0] == "10.4.7.200"
    assert (seen["X-Forwarded-Proto"], seen["X-Forwarded-Port"]) == ("http", "80")


@pytest.mark.parametrize(
    ("path", "host", "port"), [("/seen", ":8080", "8080"), ("/seen", "", "80"), ("http://{}:9000/seen", "", "9000")]
)
def test_the_port_that_was_asked_for_is_kept(entrance: Entrance, path: str, host: str, port: str) -> None:
    name = f"{WELL[0]}.od.com"
    status, body = entrance.answer(WELL[0], path.format(name), {"Host": f"{name}{host}"})
    assert status == 200
    seen = json.loads(body)
    assert seen["Host"] == (name if port == "80" else f"{name}:{port}")
    assert seen["X-Forwarded-Port"] == port


@pytest.mark.core
def test_events_arrive_one_by_one(entrance: Entrance) -> None:
    connection = http.client.HTTPConnection(f"{ILL}.od.com")
    connection.sock = dialer(NAME)(EDGE, 80, 10.0)
    connection.request("GET", "/events")
    response, came = connection.getresponse(), list[float]()
    while line := response.readline():
        came += [time.monotonic()] if line.startswith(b"data:") else []
    assert len(came) == EVENTS
    assert min(later - earlier for earlier, later in itertools.pairwise(came)) > BETWEEN / 2


def test_an_upload_passes(entrance: Entrance) -> None:
    size = 60 << 20
    assert entrance.answer(ILL, "/count", body=bytes(size)) == (200, str(size).encode())


def curl(words: str) -> str:
    """What curl prints on the ops host."""
    argv = commands.command(NAME, "hdss7-200", ["sh", "-c", f"curl -sS -m 10 {words}"])
    return subprocess.run(argv, capture_output=True, timeout=30, check=True).stdout.decode("latin-1")


def called(method: str, accept: str = "") -> str:
    """What a gRPC client gets for an empty message. accept: sh that forgives an exit code of curl's."""
    at = f"--resolve grpc.od.com:{H2C_PORT}:{EDGE} http://grpc.od.com:{H2C_PORT}"
    empty = "--data-binary @/tmp/empty-message -H 'content-type: application/grpc' -H 'te: trailers'"
    argv = commands.command(NAME, "hdss7-200", ["sh", "-c", "printf '\\000\\000\\000\\000\\000' >/tmp/empty-message"])
    subprocess.run(argv, check=True, timeout=10)
    return curl(f"--http2-prior-knowledge -i {empty} {at}/grpc.health.v1.Health/{method} {accept}")


@pytest.mark.core
def test_grpc_reaches_a_pod_and_its_trailers_come_back(entrance: Entrance) -> None:
    answer = called("Check")
    assert "HTTP/2 200" in answer
    assert "\0\0\0\0\2\x08\1" in answer  # SERVING
    assert re.search(r"^grpc-status: 0", answer, re.M), answer


def test_an_error_of_a_grpc_pod_passes(entrance: Entrance) -> None:
    unknown = called("None")
    assert re.search(r"^grpc-status: 12", unknown, re.M), unknown
