"""The controller itself as a host (`ansible_connection: local`): the conversation of SSH, held with a child process.

Nothing is connected to. As sshd does, the child gets a session of its own, so that Ctrl-C on the terminal reaches the
controller alone, which lets the step that runs end in order; and sockets, so that each end sees the other one go.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess

from provision.errors import UnreachableError
from provision.remote.login import Login

ENDING = 2.0  # seconds that the loader gets to remove its folder once its input has ended


class LocalConnection:
    """What provision.remote.connection.Connection is for a host behind SSH."""

    def __init__(self, login: Login) -> None:
        self.login = login
        self.connections = 0
        self.execs = 0
        self._channels: list[LocalChannel] = []

    def execute(self, command: str) -> LocalChannel:
        """A channel to `command`, run by sh. Counted. Raises UnreachableError."""
        try:
            channel = LocalChannel(command)
        except OSError as error:
            found = error.strerror or str(error)
            raise UnreachableError("no shell could be started here", host=self.login.name, found=found) from None
        self._channels.append(channel)
        self.execs += 1
        return channel

    def ping(self) -> None:
        """This machine is there."""

    def cut(self) -> None:
        """Stops talking at once; a step that runs goes on to its end, as behind a cut line."""
        for channel in self._channels:
            channel.cut()

    def close(self) -> None:
        """Stops talking; sessions have ended in order before."""
        self.cut()


class LocalChannel:
    """A process, with those members of a paramiko channel that a session uses. Raises OSError when it can't start."""

    def __init__(self, command: str) -> None:
        self._socket, theirs = socket.socketpair()
        self._errors, errors = socket.socketpair()
        self._read = b""
        with theirs, errors:
            self._process = subprocess.Popen(
                ["sh", "-c", command],
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=errors.fileno(),
                start_new_session=True,
            )
        self._errors.setblocking(False)

    def settimeout(self, seconds: float) -> None:
        """After how long `recv` and `sendall` raise TimeoutError; of one that was cut OSError."""
        with contextlib.suppress(OSError):
            self._socket.settimeout(seconds)

    def send(self, data: bytes) -> int:
        """Sends what can be sent; how much it was."""
        return self._socket.send(data)

    def sendall(self, data: bytes) -> None:
        """Sends everything. To a process that has ended nothing: what it said is what `recv` meets next."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._socket.sendall(data)

    def recv(self, size: int) -> bytes:
        """What the process printed, at most `size` bytes; b'' once it has closed its output."""
        try:
            return self._socket.recv(size)
        except ConnectionResetError:  # it ended without having read everything; what it said is still there
            return self._socket.recv(size)

    def recv_stderr_ready(self) -> bool:
        """Whether something stands on its standard error."""
        with contextlib.suppress(BlockingIOError, ConnectionResetError):
            self._read += self._errors.recv(65_536)
        return bool(self._read)

    def recv_stderr(self, size: int) -> bytes:
        """What stands there, at most `size` bytes."""
        found, self._read = self._read[:size], self._read[size:]
        return found

    def shutdown_write(self) -> None:
        """Closes its standard input."""
        self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Ends it in order: its input has ended, and it is waited for."""
        self.cut()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(ENDING)

    def cut(self) -> None:
        """Closes both sockets, whoever waits at them. The process ends by itself when it next reads or writes."""
        for end in (self._socket, self._errors):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._process.poll()
