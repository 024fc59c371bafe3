"""An sshd of the test's own on a port of 127.0.0.0/8, and diallers that reach it. Without sshd the test is skipped."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from provision.remote.login import Login

ADDRESSES = ("127.0.0.1", "127.0.0.2")
# root's sshd needs a user and a folder of its own, which nobody else is to see; locks of the hosts stay in it too
AS_ROOT = 'mount --bind "$1" /etc/passwd && mount -t tmpfs tmpfs /run && mkdir /run/sshd && shift && exec "$@"'


@dataclass(frozen=True)
class Loopback:
    """A running sshd. folder: its keys, its log, and the controller's state, with a short name as sockets need it."""

    folder: Path
    port: int
    process: int

    @property
    def login(self) -> Login:
        """Logs in as whoever runs the test."""
        return Login(
            "one",
            ADDRESSES[0],
            self.port,
            pwd.getpwuid(os.geteuid()).pw_name,
            key_files=(str(self.folder / "id"),),
            known_hosts=(str(self.folder / "known"),),
            timeout=3,
        )

    def by(self, transport: str, **changes: Any) -> Login:
        return replace(self.login, transport=transport, **changes)

    @property
    def counts(self) -> tuple[int, int]:
        """(connections, execs) that its log shows."""
        log = (self.folder / "log").read_text()
        found = (re.findall(words, log, re.M) for words in ("^Accepted publickey ", "^Starting session: command"))
        connections, execs = map(len, found)
        return connections, execs

    def public(self, name: str) -> str:
        """A public key as known_hosts has it; made if there is none of that name."""
        key = self.folder / name
        if not key.exists():
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
        return " ".join(Path(f"{key}.pub").read_text().split()[:2])

    def known(self, name: str, key: str, mark: str = "", addresses: tuple[str, ...] = ADDRESSES) -> str:
        """A file known_hosts that gives the addresses this key."""
        file = self.folder / name
        file.write_text("".join(f"{mark}[{each}]:{self.port} {self.public(key)}\n" for each in addresses))
        return str(file)


@contextmanager
def running() -> Iterator[Loopback]:
    """An sshd for the block."""
    program = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None or shutil.which("ssh") is None:
        pytest.skip("needs sshd (apt-get install openssh-server)")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="hdss7-"))
    made = Loopback(folder, port, 0)
    try:
        (folder / "auth").write_text(made.public("id") + "\n")
        made.known("known", "host")
        settings = {
            "Port": port,
            "ListenAddress": "0.0.0.0",
            "HostKey": folder / "host",
            "AuthorizedKeysFile": folder / "auth",
            "StrictModes": "no",
            "UsePAM": "no",
            "PasswordAuthentication": "no",
            "KbdInteractiveAuthentication": "no",
            "PidFile": "none",
            "LogLevel": "VERBOSE",
        }
        (folder / "conf").write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
        argv = [program, "-D", "-e", "-f", str(folder / "conf")]
        if os.geteuid() == 0:
            users = folder / "passwd"
            users.write_text(Path("/etc/passwd").read_text() + "sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin\n")
            argv = ["unshare", "--mount", "sh", "-c", AS_ROOT, "sh", str(users), *argv]
        with (folder / "log").open("wb") as log, subprocess.Popen(argv, stderr=log) as process:
            try:
                _await(port, folder / "log")
                yield replace(made, process=process.pid)
            finally:
                process.kill()
    finally:
        shutil.rmtree(folder)


def _await(port: int, log: Path) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as greeting:
                if greeting.recv(4) == b"SSH-":
                    return
        except OSError:
            time.sleep(0.05)
    pytest.fail(f"sshd did not start: {log.read_text()}")


def dial(host: str, port: int, timeout: float, at: str) -> socket.socket:
    """The plain socket of a dialler, for hosts that only it knows."""
    assert host == "192.0.2.1"
    return socket.create_connection((at, port), timeout)


def dial_nobody(host: str, port: int, timeout: float) -> socket.socket:
    """A dialler whose hosts do not answer."""
    raise TimeoutError


class Wrapped(socket.socket):
    """More than a socket of the kernel's, as TLS is: here, each byte is another one on the wire."""

    def recv(self, size: int, flags: int = 0) -> bytes:
        return bytes(each ^ 1 for each in super().recv(size, flags))

    def sendall(self, data: Any, flags: int = 0) -> None:
        super().sendall(bytes(each ^ 1 for each in data), flags)


def dial_wrapped(host: str, port: int, timeout: float, at: str) -> socket.socket:
    """A dialler whose socket means something only to the process that made it."""
    plain = socket.create_connection((at, port), timeout)
    near, far = socket.socketpair()
    for source, target in ((far, plain), (plain, far)):
        threading.Thread(target=_turn, args=(source, target), daemon=True).start()
    return Wrapped(near.family, near.type, near.proto, fileno=near.detach())


def _turn(source: socket.socket, target: socket.socket) -> None:
    source.settimeout(None)
    while data := source.recv(65_536):
        target.sendall(bytes(each ^ 1 for each in data))
    target.shutdown(socket.SHUT_WR)
