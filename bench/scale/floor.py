"""The least that asking many hosts over SSH can cost: `true` on each, by paramiko, spread over processes.

`python -m bench.scale.floor KEY KNOWN_HOSTS PROCESSES THREADS ADDRESS...`; each address connected to once.
"""

from __future__ import annotations

import base64
import multiprocessing
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path


def main(words: Sequence[str]) -> int:
    """Connects to every address, runs `true`, and returns the worst code."""
    key, known_hosts, processes, threads, *addresses = words
    lines = (line.split() for line in Path(known_hosts).read_text().splitlines())
    known = {names.split(",")[1]: public for names, _, public in lines}  # each connection is given its host's key alone
    parts = [addresses[number :: int(processes)] for number in range(int(processes))]
    with multiprocessing.get_context("spawn").Pool(len(parts)) as pool:
        return max(pool.map(partial(_part, key, known, int(threads)), parts))


def _part(key: str, known: Mapping[str, str], threads: int, addresses: Sequence[str]) -> int:
    import paramiko

    def one(address: str) -> int:
        client = paramiko.SSHClient()
        public = paramiko.Ed25519Key(data=base64.b64decode(known[address]))
        client.get_host_keys().add(address, "ssh-ed25519", public)
        login = partial(client.connect, username="root", key_filename=key, allow_agent=False, look_for_keys=False)
        try:
            login(address)
        except (EOFError, paramiko.SSHException):
            # seen once in 4,700 connections: sshd read a packet where a banner has to be, as when the thread of a
            # closed connection writes to the file descriptor that a new one has taken
            login(address)
        _, out, _ = client.exec_command("true")
        code = out.channel.recv_exit_status()
        client.close()
        return code

    with ThreadPoolExecutor(threads) as pool:
        return max(pool.map(one, addresses))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
