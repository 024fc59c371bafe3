"""The same testinfra tests by testinfra's own ways to a host, and by `verify` of this toolkit."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.clock import ROOT, Sample
from bench.peers.contestant import Hosts
from bench.peers.hdss7 import COMMAND, PROJECT, options
from bench.peers.processes import timed

TESTS = PROJECT / "tests/verify/test_peers.py"


@dataclass(frozen=True)
class Way:
    """A row of the table. argv: what is typed, in `folder`."""

    title: str
    argv: Sequence[str]
    folder: Path
    ours: bool = False

    def run(self, environment: Mapping[str, str]) -> Sample:
        """All tests, once. Raises FailedError when one of them fails."""
        return timed(self.argv, self.folder, environment)


def ways(work: Path, hosts: Hosts) -> Sequence[Way]:
    """Everyone. work: where the toolkit's project is."""
    sockets = work / "cp-tests"
    sockets.mkdir()
    named = ["-q", "-c", "/dev/null", f"--rootdir={work}", "-p", "no:cacheprovider", str(TESTS)]
    pytest = [sys.executable, "-m", "pytest", *named, f"--ssh-config={hosts.ssh_config}"]
    master = f"-o ControlMaster=auto -o ControlPersist=60 -o ControlPath={sockets}/%C"
    verify = [*COMMAND, "verify", *options(work)]
    return (
        Way("testinfra, ssh with a ControlMaster", [*pytest, _hosts("ssh", hosts), f"--ssh-extra-args={master}"], work),
        Way("testinfra, paramiko", [*pytest, _hosts("paramiko", hosts)], work),
        Way("this toolkit, `hdss7 verify`", verify, ROOT, ours=True),
    )


def _hosts(backend: str, hosts: Hosts) -> str:
    return "--hosts=" + ",".join(f"{backend}://{name}" for name in hosts.addresses)
