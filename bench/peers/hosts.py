"""The hosts of a bare lab: made ready for everyone, looked at past their sshds, and what their sshds have logged."""

from __future__ import annotations

import hashlib
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from bench.clock import invoke
from bench.peers import debs
from bench.peers.contestant import Contestant, Hosts, ssh_config
from bench.peers.workload import CHANGES, PROGRAMS, TEMPLATES, UNIT, content, folder
from lab import commands, keys, network
from lab.state import Lab
from provision.errors import FailedError
from provision.remote.shell import Scripts

SCRIPTS = Scripts(__file__)
LAB = "bench-peers"
ADDRESSES: Mapping[str, str] = {"hdss7-11": "10.4.7.11", "hdss7-21": "10.4.7.21", "hdss7-22": "10.4.7.22"}
KEPT = "{state}.of-{name}"  # where the state of a contestant lies on a host while another one's turn is
Fingerprint = Mapping[str, Sequence[str]]


class Ready:
    """Hosts that are ready. Everything here goes past their sshds."""

    def __init__(self, hosts: Hosts, namespace: Path) -> None:
        self.hosts = hosts
        self._namespace = namespace
        self._turns: dict[str, str] = {}  # path of a state -> the contestant whose it is

    def beside(self) -> AbstractContextManager[None]:
        """In its block this thread, and what it starts, is in the hosts' network, which has no way out."""
        return network.inside(self._namespace)

    def turn(self, contestant: Contestant) -> None:
        """Puts the contestant's own state where it looks for it."""
        path = contestant.state
        before = self._turns.get(path, contestant.name)
        if path:
            self._turns[path] = contestant.name
        if before != contestant.name:
            self._all("turn", path, KEPT.format(state=path, name=before), KEPT.format(state=path, name=contestant.name))

    def settle(self) -> None:
        """Waits until supervisord calls its programs running: it does so a second after it started them."""
        self._all("settle", *PROGRAMS)

    def remove_files(self, name: str) -> None:
        """The contestant's files are gone; its folder stays."""
        self._all("remove", folder(name))

    def fingerprint(self, name: str) -> Fingerprint:
        """By host, for each of the contestant's files its path, its inode and the sha256 of what it holds."""
        return {host: said.splitlines() for host, said in self._all("fingerprint", folder(name)).items()}

    def sessions(self) -> tuple[int, int]:
        """(logins, commands) that the hosts' sshds have logged so far, all of them together; a file transfer is one."""
        logs = "\n".join(self._all("sessions").values())
        return len(re.findall(r"^Accepted publickey ", logs, re.M)), len(re.findall(r"^Starting session: ", logs, re.M))

    def _all(self, script: str, *words: str) -> Mapping[str, str]:
        return {name: on(name, SCRIPTS.argv(script, *words)) for name in self.hosts.addresses}


@contextmanager
def ready(work: Path) -> Iterator[Ready]:
    """A lab's hosts with what everyone needs there; they go with the block.

    work: a folder for the ssh_config.
    """
    invoke("lab.down", "--purge", "--lab", LAB)
    try:
        packages = debs.debs()
        invoke("lab.up", "--bare", "--lab", LAB)
        lab = Lab.named(LAB)
        for name in ADDRESSES:
            _prepare(name, packages)
        key, known_hosts = keys.client_key(lab.keys), keys.known_hosts(lab.keys)
        config = work / "ssh_config"
        config.write_text(ssh_config(ADDRESSES, key, known_hosts))
        yield Ready(Hosts(ADDRESSES, key, known_hosts, config), network.namespace(lab, lab.topology().ops.name))
    finally:
        invoke("lab.down", "--purge", "--lab", LAB)


def wrong(fingerprint: Fingerprint, answer: str) -> str:
    """What of the 13 files is not as it has to be on some host, '' where all are."""
    for host, lines in fingerprint.items():
        found = {Path(path).name: sha256 for path, _, sha256 in map(str.split, lines)}
        for number in TEMPLATES:
            wanted = hashlib.sha256(content(number, answer)).hexdigest()
            if (has := found.get(f"{number}.conf")) != wanted:
                return f"{host}: {number}.conf is {'another one' if has else 'missing'}"
    return ""


def changed(before: Fingerprint, after: Fingerprint) -> frozenset[str]:
    """The names of the files that are others than before, on any host."""
    moved = {line for host in before for line in {*before[host]} ^ {*after[host]}}
    return frozenset(Path(line.split()[0]).name for line in moved)


def expected_change() -> frozenset[str]:
    """The names of the files that one change makes anew."""
    return frozenset({f"{CHANGES}.conf"})


def on(host: str, argv: Sequence[str], stdin: bytes = b"") -> str:
    """What a command prints on a host, past its sshd. Raises FailedError when it fails."""
    done = subprocess.run(commands.command(LAB, host, argv), input=stdin, capture_output=True, check=False)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()[-2000:]
        raise FailedError(f"{shlex.join(argv)[:100]} ended with {done.returncode}", host=host, found=said)
    return done.stdout.decode()


def _prepare(host: str, packages: Sequence[Path]) -> None:
    print(f"  {host}: supervisor, Python and two programs", file=sys.stderr, flush=True)
    names = [path.name for path in packages]
    with subprocess.Popen(["tar", "-C", str(packages[0].parent), "-c", *names], stdout=subprocess.PIPE) as tar:
        assert tar.stdout
        on(host, SCRIPTS.argv("prepare", UNIT, *PROGRAMS), tar.stdout.read())
