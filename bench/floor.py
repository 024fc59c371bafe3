"""The least that asking three hosts over SSH can cost: `true` on each, by paramiko. Run as a process of its own."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from socket import IPPROTO_TCP, TCP_NODELAY, create_connection, socket

DIRECT = "-"  # instead of a lab's name: the process is in the hosts' network already


def main(sources: Sequence[str]) -> int:
    """Connects to every address at once, runs `true`, and returns the worst code: LAB KEY KNOWN_HOSTS ADDRESS..."""
    import paramiko

    lab, key, known_hosts, *addresses = sources

    def one(address: str) -> int:
        client = paramiko.SSHClient()
        client.load_host_keys(known_hosts)
        sock = _connection(address, lab)
        client.connect(address, username="root", key_filename=key, sock=sock, allow_agent=False, look_for_keys=False)
        _, out, _ = client.exec_command("true")
        code = out.channel.recv_exit_status()
        client.close()
        return code

    with ThreadPoolExecutor(len(addresses)) as pool:
        return max(pool.map(one, addresses))


def _connection(address: str, lab: str) -> socket:
    if lab != DIRECT:
        from lab.network import dial

        return dial(address, 22, 10, lab)
    connection = create_connection((address, 22), 10)
    connection.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
    return connection


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    raise SystemExit(main(sys.argv[1:]))
