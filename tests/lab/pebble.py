"""Pebble, Let's Encrypt's own ACME server for tests: on the ops host of a lab, asking the lab's BIND."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from lab import commands
from lab.artifacts.cache import Cache
from lab.artifacts.golang import Module, go_programs, toolchain
from lab.artifacts.runner import Runner
from lab.network import dial_in
from lab.state import Lab
from roles._x509 import Authority, Certificate

PEBBLE = Module("pebble", "pebble", ("github.com/letsencrypt/pebble/v2/cmd/pebble",), ("pebble",))
OPS, PORT, MANAGEMENT = "hdss7-200", 14000, 15000


@dataclass(frozen=True)
class Pebble:
    """One that runs. directory: its URL, from the controller. authority: the CA of its address. log: what it says."""

    directory: str
    authority: Path
    log: Path


@contextmanager
def pebble(name: str, folder: Path, dns: str, life: int) -> Iterator[Pebble]:
    """dns: the server that it asks for proofs, ADDRESS:PORT. life: seconds that its certificates are valid."""
    cache, runner = Cache(), Runner()
    program, _ = go_programs(cache, runner, toolchain(cache, runner), PEBBLE).file("pebble")
    authority = Authority.new("the CA of Pebble's address", datetime.now(UTC))
    names = ("localhost", "127.0.0.1")
    key, certificate = authority.issue(Certificate("pebble", "pebble", names=names, server=True), datetime.now(UTC), 9)
    for file, content in (("key.pem", key), ("cert.pem", certificate), ("ca.pem", authority.pem[1])):
        (folder / file).write_bytes(content)
    (folder / "pebble.json").write_text(json.dumps(configuration(folder, life)))
    environment = ["env", "PEBBLE_VA_NOSLEEP=1", "PEBBLE_AUTHZREUSE=0"]
    argv = [*environment, str(program), "-config", str(folder / "pebble.json"), "-dnsserver", dns]
    with (
        (folder / "pebble.log").open("wb") as log,
        relay(name, PORT) as port,
        subprocess.Popen(commands.command(name, OPS, argv), stdout=log, stderr=log) as process,
    ):
        try:
            listens(name)
            yield Pebble(f"https://localhost:{port}/dir", folder / "ca.pem", folder / "pebble.log")
        finally:
            process.terminate()


def configuration(folder: Path, life: int) -> dict[str, object]:
    return {
        "pebble": {
            "listenAddress": f"0.0.0.0:{PORT}",
            "managementListenAddress": f"0.0.0.0:{MANAGEMENT}",
            "certificate": str(folder / "cert.pem"),
            "privateKey": str(folder / "key.pem"),
            "httpPort": 5002,
            "tlsPort": 5001,
            "keyAlgorithm": "ecdsa",
            "retryAfter": {"authz": 1, "order": 1},
            "profiles": {"default": {"description": "the only one", "validityPeriod": life}},
        }
    }


def listens(name: str) -> None:
    """Waits until Pebble takes connections."""
    for _ in range(200):
        with suppress(Exception):
            dial_in(Lab.named(name), OPS, PORT, 5.0).close()
            return
        threading.Event().wait(0.1)
    raise AssertionError("pebble does not listen")


@contextmanager
def relay(name: str, port: int) -> Iterator[int]:
    """A port of 127.0.0.1 that leads to one of the lab's ops host, as a public server is reached from a controller."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_accept, args=(listener, name, port), daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, name: str, port: int) -> None:
    with suppress(OSError):
        while True:
            near, _ = listener.accept()
            far = dial_in(Lab.named(name), OPS, port, 10.0)
            far.settimeout(None)
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=_copy, args=(one, other), daemon=True).start()


def _copy(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while data := one.recv(1 << 16):
            other.sendall(data)
        other.shutdown(socket.SHUT_WR)
