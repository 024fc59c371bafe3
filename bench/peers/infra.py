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
    named = ["-q", "-c", "/dev/null", f"--rootdir={work}", "-p", "no:cacheprovider", str(TESTS)]
    pytest = [sys.executable, "-m", "pytest", *named]
    kept = f"--ssh-config={_with_sockets(work, hosts)}"
    verify = [*COMMAND, "verify", *options(work)]
    return (
        Way("testinfra, ssh with a ControlMaster", [*pytest, kept, _hosts("ssh", hosts)], work),
        Way("testinfra, paramiko", [*pytest, f"--ssh-config={hosts.ssh_config}", _hosts("paramiko", hosts)], work),
        Way("this toolkit, `hdss7 verify`", verify, ROOT, ours=True),
    )


def _with_sockets(work: Path, hosts: Hosts) -> Path:
    """An ssh_config with a ControlPath: testinfra 10.2.2 asks for a ControlMaster, but drops --ssh-extra-args."""
    sockets = work / "cp-tests"
    sockets.mkdir()
    config = work / "ssh_config-tests"
    config.write_text(f"{hosts.ssh_config.read_text()}  ControlPath {sockets}/%C\n")
    return config


def _hosts(backend: str, hosts: Hosts) -> str:
    return "--hosts=" + ",".join(f"{backend}://{name}" for name in hosts.addresses)
