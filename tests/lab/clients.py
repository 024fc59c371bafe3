"""Clients of a deployed site: eight of them, asking GET and POST through the edge, a hundred times a second."""

from __future__ import annotations

import socket
import time
from functools import partial

from lab.network import dial_in
from lab.state import Lab
from provision.traffic.probe import Dialer, Prober, Target, ask
from provision.traffic.receipt import Receipt

EDGE = "10.4.7.11"
NODES = {"hdss7-21": "10.4.7.21", "hdss7-22": "10.4.7.22"}
CLIENTS, RATE = 8, 100.0
LEAST = 0.95  # of the rate asked: fewer, and the clients were not there to see
TARGETS = (
    Target("http://traefik.od.com/dashboard/", EDGE),
    Target("http://demo.od.com/echo?msg=hello", EDGE, method="POST"),
    Target("http://nginx.od.com/", EDGE),
)


def dialer(lab: str) -> Dialer:
    """Connections from a lab's ops host, which is no node and no edge."""
    return partial(_dial, Lab.named(lab))


def _dial(lab: Lab, host: str, port: int, timeout: float) -> socket.socket:
    return dial_in(lab, host, port, timeout)


def await_answered(lab: str, seconds: float = 60) -> None:
    """Waits until everything is answered, several times in a row: each may come from another node and another pod."""
    dial = dialer(lab)
    deadline = time.monotonic() + seconds
    while faults := [fault for target in TARGETS * 2 * len(NODES) if (fault := ask(target, dial))]:
        assert time.monotonic() < deadline, faults


def clients(lab: str) -> Prober:
    """To be used as a context manager; begins once everything is answered."""
    await_answered(lab)
    return Prober(TARGETS, dialer(lab), rate=RATE, clients=CLIENTS)


def unharmed(receipt: Receipt) -> bool:
    """Whether nobody noticed, and enough were there to notice."""
    return receipt.failures == 0 and receipt.rate >= LEAST * receipt.asked
