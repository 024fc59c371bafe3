"""pyinfra's own command line, with TCP_NODELAY on each socket that paramiko is given. Run by pyinfra's interpreter."""

from __future__ import annotations

import socket
import sys
from importlib import import_module
from typing import Any


def main() -> None:
    """Runs pyinfra with the words that were typed."""
    program = import_module("pyinfra_cli.main")  # first: it patches sockets, by gevent
    paramiko = import_module("paramiko")
    before = paramiko.Transport.__init__

    def without_delay(self: Any, sock: Any, *words: Any, **named: Any) -> None:
        if hasattr(sock, "setsockopt"):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        before(self, sock, *words, **named)

    paramiko.Transport.__init__ = without_delay
    sys.argv[0] = "pyinfra"
    sys.exit(program.main())


if __name__ == "__main__":
    main()
