"""A process of this machine as an executor of concurrent.futures, whose functions run in threads of that process.

The executor of Python's own that has processes gives each function a whole one. A host mostly waits, so a process has
many at a time here; and it starts anew instead of being forked from a controller that has threads already.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
_LENGTH = struct.Struct("!Q")
ENDING = 5.0  # seconds that a process gets to close its connections


class ProcessGoneError(Exception):
    """The process ended before the function did."""


class ProcessExecutor(Executor):
    """One process with `threads` threads. It ends with `shutdown`, and by itself when this process ends."""

    def __init__(self, threads: int) -> None:
        self._socket, theirs = socket.socketpair()
        path = os.pathsep.join(dict.fromkeys((*filter(None, sys.path), os.getcwd())))
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(theirs.fileno()), str(threads)],
                pass_fds=[theirs.fileno()],
                env={**os.environ, "PYTHONPATH": path},
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C reaches the controller alone, which ends in order
            )
        self._sending = threading.Lock()
        self._futures: dict[int, Future[Any]] = {}
        self._number = 0
        threading.Thread(target=self._receive, daemon=True).start()

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """As Executor.submit; function and arguments are pickled. Raises ProcessGoneError."""
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()
        with self._sending:
            self._number += 1
            self._futures[self._number] = future
            try:
                _send(self._socket, (self._number, fn, args, kwargs))
            except OSError:
                del self._futures[self._number]
                raise ProcessGoneError(self._ended()) from None
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Ends the process."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
        if wait:
            try:
                self._process.wait(ENDING)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._socket.close()

    def _receive(self) -> None:
        with contextlib.suppress(OSError, EOFError):
            while True:
                number, result, error = _receive(self._socket)
                with self._sending:
                    future = self._futures.pop(number)
                if error is None:
                    future.set_result(result)
                else:
                    future.set_exception(error)
        with self._sending:
            left, self._futures = self._futures, {}
        for future in left.values():
            future.set_exception(ProcessGoneError(self._ended()))

    def _ended(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return f"process {self.pid} ended with {self._process.wait(1)}"
        return f"process {self.pid} closed its line"


def serve(descriptor: int, threads: int) -> None:
    """What the process does until its line ends: calls come in, results go out as they are there."""
    line = socket.socket(fileno=descriptor)
    sending = threading.Lock()

    def work(number: int, function: Callable[..., Any], args: Any, kwargs: Any) -> None:
        result, error = None, None
        try:
            result = function(*args, **kwargs)
        except Exception as raised:
            error = raised
        with sending, contextlib.suppress(OSError):
            _send(line, (number, result, error))

    pool = ThreadPoolExecutor(threads)
    with contextlib.suppress(OSError, EOFError):
        while True:
            pool.submit(work, *_receive(line))
    os._exit(0)  # the controller has ended, or has all it wants: what still runs on a host runs to its end there


def _send(line: socket.socket, data: Any) -> None:
    packed = pickle.dumps(data, protocol=pickle.HIGHEST_PROTOCOL)
    line.sendall(_LENGTH.pack(len(packed)) + packed)


def _receive(line: socket.socket) -> Any:
    (length,) = _LENGTH.unpack(_exactly(line, _LENGTH.size))
    return pickle.loads(_exactly(line, length))


def _exactly(line: socket.socket, size: int) -> bytes:
    found = bytearray()
    while len(found) < size:
        part = line.recv(min(size - len(found), 1 << 20))
        if not part:
            raise EOFError
        found += part
    return bytes(found)


if __name__ == "__main__":
    from provision.workers.process import serve as serve_here  # the module that its peer names, and not __main__

    serve_here(int(sys.argv[1]), int(sys.argv[2]))
