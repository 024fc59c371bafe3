"""A child process in place of a channel of SSH: this machine's shell, or its `ssh`.

As sshd does, the child gets a session of its own, so that Ctrl-C on the terminal reaches the controller alone, which
lets the step that runs end in order; and sockets, so that each end sees the other one go.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
from collections.abc import Mapping, Sequence

ENDING = 2.0  # seconds that the process gets to clear up once its input has ended


class ProcessChannel:
    """A process, with those members of a paramiko channel that a session uses. Raises OSError when it can't start.

    environment: its variables; None: this process's own.
    """

    def __init__(self, argv: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        self._socket, theirs = socket.socketpair()
        self._errors, errors = socket.socketpair()
        self._read = b""
        with theirs, errors:
            self._process = subprocess.Popen(
                argv,
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=errors.fileno(),
                env=environment,
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

    def exit_code(self) -> int | None:
        """With what it ended, once it has closed its output; None if it still runs after a while."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._process.wait(ENDING)
        return None

    def end(self) -> None:
        """As `cut`, and ends the process, which has nothing of its own to finish."""
        self.cut()
        self._process.terminate()
