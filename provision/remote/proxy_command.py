"""The inventory's dialler (`hdss7_dial`) as a ProxyCommand of ssh, which is handed the socket (ProxyUseFdpass).

    python -m provision.remote.proxy_command DIAL TIMEOUT HOST PORT

The process that ssh waits for ends once the socket is handed over. Another one stays only for a dialler that has to:
because its threads carry the bytes, or because what it returned is more than a socket of the kernel's (TLS).
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import threading
from collections.abc import Sequence

HANDED = b"+"


def main(arguments: Sequence[str]) -> int:
    """Hands over a socket on standard output. Returns the exit code; what went wrong is on standard error."""
    reading, writing = os.pipe()
    if os.fork():
        os.close(writing)
        return 0 if os.read(reading, 1) == HANDED else 1
    os.close(reading)
    try:
        spec, timeout, host, port = arguments
        _dial_and_hand_over(spec, float(timeout), host, int(port), writing)
    finally:
        os._exit(0)


def _dial_and_hand_over(spec: str, timeout: float, host: str, port: int, done: int) -> None:
    from provision.errors import ProvisionError
    from provision.remote.login import dialer

    try:
        connected = dialer(spec)(host, port, timeout)
    except ProvisionError as error:
        print(error, file=sys.stderr, flush=True)
        return
    except Exception as error:
        print(f"ssh: connect to host {host} port {port}: {_words(error)}", file=sys.stderr, flush=True)
        return
    connected.settimeout(None)
    given = connected if type(connected) is socket.socket else _carried(connected)
    with socket.socket(fileno=os.dup(sys.stdout.fileno())) as ssh:
        socket.send_fds(ssh, [b"\0"], [given.fileno()])
    given.close()
    os.write(done, HANDED)
    os.close(done)
    for stream in (0, 1):  # ssh must see the end of everything that it reads
        os.close(stream)
    for thread in threading.enumerate():
        if thread is not threading.main_thread():
            thread.join()


def _carried(connected: socket.socket) -> socket.socket:
    """A socket of the kernel's whose bytes go by way of this process."""
    near, far = socket.socketpair()
    for source, target in ((near, connected), (connected, near)):
        threading.Thread(target=_copy, args=(source, target)).start()
    return far


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def _words(error: Exception) -> str:
    """As ssh itself would say it."""
    if isinstance(error, TimeoutError):
        return "Connection timed out"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
