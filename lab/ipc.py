"""Requests to a lab's daemon, and its answers: one JSON line each way over a socket in the lab's folder."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import msgspec

from lab.state import Lab
from provision.decoding import decode
from provision.errors import FailedError
from provision.usage import usage

LONGEST_LINE = 1 << 20
SECONDS = 180.0  # an orderly reboot may take 120 of them
Verb = Literal["status", "add", "on", "off", "reboot", "cycle", "down"]


class Request(msgspec.Struct, frozen=True):
    """do: `on`, `off` (power cut), `reboot` (orderly), `cycle` (power cut and on) one host; `status`, `down`: all.

    `add`: the hosts that the lab's record has by now.
    """

    do: Verb
    host: str = ""


class HostState(msgspec.Struct, frozen=True):
    """on: its init runs. boots: how often it booted since lab.up. ended: how it last went off by itself."""

    on: bool
    boots: int
    ended: str = ""


class Answer(msgspec.Struct, frozen=True):
    """hosts: state of each booted host. error: why the request failed, for a person; empty when it did not."""

    hosts: dict[str, HostState] = {}
    error: str = ""


def ask(lab: Lab, request: Request) -> Answer:
    """Send a request and wait for the answer. Raises FailedError when it failed or the daemon does not answer."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(SECONDS)
        try:
            with _short(lab.socket) as address:
                connection.connect(address)
            connection.sendall(msgspec.json.encode(request) + b"\n")
            answer = decode(read_line(connection), Answer)
        except (OSError, msgspec.DecodeError) as error:
            raise FailedError(
                f"the daemon of the lab {lab.name} did not answer the request {request.do!r}",
                host=request.host,
                found=str(error),
                do=f"Its log is {lab.log}; {usage(f'lab.down{lab.option}')} and lab.up start it again",
            ) from None
    if answer.error:
        raise FailedError(f"{request.do} failed", host=request.host, found=answer.error)
    return answer


def listen(lab: Lab) -> socket.socket:
    """The daemon's end; only the user whose lab it is may connect."""
    lab.socket.unlink(missing_ok=True)
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with _short(lab.socket) as address:
        server.bind(address)
    lab.socket.chmod(0o600)
    server.listen()
    return server


def read_line(connection: socket.socket) -> bytes:
    """One line, as far as the other side has sent one."""
    with connection.makefile("rb") as file:
        return file.readline(LONGEST_LINE)


@contextmanager
def _short(path: Path) -> Iterator[str]:
    """The same socket under a path that fits: the kernel takes 107 bytes, and a state folder may lie deep."""
    folder = os.open(path.parent, os.O_PATH)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
