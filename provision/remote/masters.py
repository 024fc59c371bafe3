"""Connections of the system's ssh that are kept open between runs: their control sockets, and their ends.

ssh(1) calls the process that holds such a connection a master. It ends by itself KEPT seconds after its last use.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import struct
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from provision.errors import FailedError
from provision.folders import state_folder
from provision.home import expanded

KEPT = 600  # seconds
ANSWERS_WITHIN = 2.0  # a master that does not say within that time that it is alive is left alone
ENDS_WITHIN = 5.0
SUN_PATH = 107  # bytes of a socket's path: unix(7)
BESIDE = 17  # bytes that ssh adds to the path while it makes the socket
CONFIGURATION = ("~/.ssh/config", "/etc/ssh/ssh_config")
# OpenSSH's PROTOCOL.mux
HELLO, VERSION = 1, 4
ALIVE_CHECK, ALIVE = 0x10000004, 0x80000005


@dataclass(frozen=True)
class Master:
    """A connection that may be open. socket: where its process listens."""

    socket: Path

    @staticmethod
    def of(dial: str, place: str, rest: Iterable[str], files: Iterable[str]) -> Master:
        """The one for a login. dial: what opens its socket. place: where the host is. rest: whatever else decides how
        it is reached. files: those that ssh reads for it; changed ones need a connection of their own, so that a host
        key that is known no longer does not outlive its line.

        Raises FailedError where a socket can't have such a long path.
        """
        states = (_state(expanded(name)) for name in (*files, *CONFIGURATION))
        name = f"{_dialled(dial)}-{_short(place)}-{_short(*rest, *states)}"
        path = _folder() / name
        if len(os.fsencode(path)) + BESIDE > SUN_PATH:
            raise FailedError(
                f"the folder {path.parent} has too long a name for a socket",
                found=f"sockets in it need {len(os.fsencode(path)) + BESIDE} bytes, {SUN_PATH} are possible",
                do="Set XDG_STATE_HOME to a shorter one, or use --transport fabric",
            )
        return Master(path)

    def alive(self) -> bool:
        """Whether its process answers. A socket that nobody answers at is removed: ssh would wait at it."""
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(ANSWERS_WITHIN)
                client.connect(str(self.socket))
                client.sendall(_packet(HELLO, VERSION) + _packet(ALIVE_CHECK, 0))
                with client.makefile("rb") as answers:
                    if any(kind == ALIVE for kind in _kinds(answers)):
                        return True
        except FileNotFoundError:
            return False
        except (OSError, struct.error):
            pass
        self.socket.unlink(missing_ok=True)
        return False

    def retire(self) -> None:
        """Nobody else uses the connection from now on; who uses it already is left to it."""
        self._ask("stop")

    def end(self) -> bool:
        """Ends the connection. Whether it was open."""
        return self._ask("exit")

    def _ask(self, command: str) -> bool:
        argv = ["ssh", "-F", "none", "-S", str(self.socket), "-O", command, "--", "master"]
        done = False
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            asked = subprocess.run(
                argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=ENDS_WITHIN, check=False
            )
            done = asked.returncode == 0
        self.socket.unlink(missing_ok=True)
        return done


def kept(dial: str | None = None, place: str | None = None) -> list[Master]:
    """The connections that this user may have open: all, those by one way of dialling, those to one place."""
    pattern = f"{'*' if dial is None else _dialled(dial)}-{'*' if place is None else _short(place)}-*"
    return [Master(path) for path in sorted(_folder_path().glob(pattern)) if path.is_socket()]


def _folder_path() -> Path:
    return state_folder("ssh")


def _folder() -> Path:
    """Where the sockets are, which only this user may enter."""
    path = _folder_path()
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.stat().st_mode & 0o777 != 0o700:
        path.chmod(0o700)
    return path


def _dialled(dial: str) -> str:
    return _short(dial)


def _short(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:10]


def _state(path: Path) -> str:
    try:
        found = path.stat()
    except OSError:
        return ""
    return f"{found.st_mtime_ns} {found.st_size} {found.st_ino}"


def _packet(*numbers: int) -> bytes:
    return struct.pack(f">{len(numbers) + 1}I", 4 * len(numbers), *numbers)


def _kinds(answers: BinaryIO) -> Iterator[int]:
    """The kinds of the messages that come. Raises struct.error where they end, OSError where none comes in time."""
    while True:
        (size,) = struct.unpack(">I", answers.read(4))
        (kind,) = struct.unpack_from(">I", answers.read(size))
        yield kind
