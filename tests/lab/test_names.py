"""Names of others: a forwarder that passes no signatures is named before any host depends on it."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from lab import network
from lab.state import Lab
from tests.lab.typed import NAME, invoke, on

pytestmark = pytest.mark.usefixtures("site")

PORT = 5300
ANSWER, SOA = 0x8180, 6
NAMED = "/etc/bind/named.conf.options"


def answer(query: bytes) -> bytes:
    """What a forwarder without DNSSEC says: the SOA that was asked for, nothing of another type, never a signature.

    The wire format is RFC 1035's, §4.1.
    """
    end = query.index(b"\0", 12) + 5
    question, (kind,) = query[12:end], struct.unpack(">H", query[end - 4 : end - 2])
    record = b"\xc0\x0c" + struct.pack(">HHIH", SOA, 1, 60, 22) + b"\0\0" + struct.pack(">5I", 1, 60, 60, 60, 60)
    found = record if kind == SOA else b""
    return query[:2] + struct.pack(">5H", ANSWER, 1, bool(found), 0, 0) + question + found


@pytest.fixture
def forwarder() -> Iterator[str]:
    """Listens on the ops host. What `bind.forwarders` takes."""
    lab = Lab.named(NAME)
    ops = lab.topology().ops
    with network.inside(network.namespace(lab, ops.name)):
        listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.bind((str(ops.address), PORT))
    listener.settimeout(0.1)
    over = threading.Event()

    def serve() -> None:
        while not over.is_set():
            with suppress(TimeoutError):
                query, sender = listener.recvfrom(4096)
                listener.sendto(answer(query), sender)

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"{ops.address} port {PORT}"
    over.set()
    thread.join()
    listener.close()


def asked_of(forwarder: str, *, dnssec: bool) -> tuple[str, str]:
    return "--extra-vars", json.dumps({"bind": {"recursion": True, "forwarders": [forwarder], "dnssec": dnssec}})


def test_a_forwarder_without_signatures_is_named_and_the_old_set_stays(forwarder: str) -> None:
    before = on("hdss7-11", f"cat {NAMED}")
    deployed = invoke("deploy", *asked_of(forwarder, dnssec=True))
    assert deployed.code == 1, str(deployed)
    assert "Set bind.dnssec: false" in deployed.errors, str(deployed)
    assert on("hdss7-11", f"cat {NAMED}") == before
    assert invoke("deploy", *asked_of(forwarder, dnssec=False)).code == 0
    assert on("hdss7-11", "dig +short @127.0.0.1 . SOA") != ""
    assert invoke("deploy").code == 0
    assert on("hdss7-11", f"cat {NAMED}") == before


def test_a_site_that_reaches_nobody_outside_is_deployed_all_the_same() -> None:
    deployed = invoke("deploy", *asked_of("10.4.7.200 port 5399", dnssec=True))
    assert deployed.code == 0, str(deployed)
    assert invoke("deploy").code == 0
