"""The least that reaching the hosts can cost: `true` on each, by paramiko, by the system's ssh, by one that is warm."""

from __future__ import annotations

import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.floor import DIRECT
from bench.peers.contestant import Hosts
from bench.peers.processes import start
from provision.errors import FailedError

UP_WITHIN = 10.0
CURVE = ("-o", "KexAlgorithms=curve25519-sha256")


@dataclass(frozen=True)
class Floor:
    """A row of the second table. masters: what has to run meanwhile, and be ready."""

    title: str
    command: Sequence[str]
    masters: Sequence[Sequence[str]] = ()


def floors(work: Path, hosts: Hosts) -> Sequence[Floor]:
    """All of them."""
    sockets = work / "cp-warm"
    sockets.mkdir()
    ssh = ["ssh", "-F", str(hosts.ssh_config)]
    warm = [*ssh, "-o", f"ControlPath={sockets}/%C"]
    paramiko = [sys.executable, "-m", "bench.floor", DIRECT, str(hosts.key), str(hosts.known_hosts)]
    return (
        Floor("paramiko", [*paramiko, *hosts.addresses.values()]),
        Floor("ssh, connecting", _each(ssh, hosts)),
        Floor("ssh, connecting, key exchange by curve25519", _each([*ssh, *CURVE], hosts)),
        Floor(
            "ssh over a ControlMaster that is warm",
            _each(warm, hosts),
            [_master(warm, name) for name in hosts.addresses],
        ),
    )


@contextmanager
def standing(floor: Floor, environment: Mapping[str, str]) -> Iterator[None]:
    """The floor's masters, ready; they end with the block."""
    running = [start(master, environment) for master in floor.masters]
    try:
        for master in floor.masters:
            _await(master, environment)
        yield
    finally:
        for master, process in zip(floor.masters, running, strict=True):
            _control(master, "exit", environment)  # a signal would leave its socket, and the next one refuses to start
            process.terminate()
            process.wait()


def _each(ssh: Sequence[str], hosts: Hosts) -> Sequence[str]:
    """All hosts at once; it fails when one of them does."""
    started = "".join(f'{shlex.join([*ssh, name, "true"])} & all="$all $!"\n' for name in hosts.addresses)
    return ["sh", "-c", f"all=\n{started}for each in $all; do wait $each || exit 1; done"]


def _master(ssh: Sequence[str], name: str) -> Sequence[str]:
    return [*ssh, "-o", "ControlMaster=yes", "-N", name]


def _await(master: Sequence[str], environment: Mapping[str, str]) -> None:
    until = time.monotonic() + UP_WITHIN
    while not _control(master, "check", environment):
        if time.monotonic() > until:
            raise FailedError(f"{shlex.join(master)} did not come up within {UP_WITHIN} s")
        time.sleep(0.05)


def _control(master: Sequence[str], word: str, environment: Mapping[str, str]) -> bool:
    """Whether the master obeys. word: of `ssh -O`."""
    argv = [*master[:-2], "-O", word, master[-1]]  # in the place of -N
    return subprocess.run(argv, env=environment, capture_output=True, check=False).returncode == 0
