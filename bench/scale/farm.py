"""Small hosts: each an sshd at an address of its own, with a root of its own above one tree, and no init.

All of them live in one network namespace and one pid namespace, which end with the process that holds them; nothing
exists in the machine's own network.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address
from pathlib import Path

from lab import keys
from lab.preflight import GIB
from lab.process import children
from provision.atomic import replace_file
from provision.errors import FailedError, InputError
from provision.folders import state_folder
from provision.remote.shell import Scripts

SCRIPTS = Scripts(__file__)
NETWORK = "10.60.0.0/16"
FIRST = IPv4Address("10.60.1.0")
GROUP = "small"
MEMORY_EACH = 6 << 20  # measured: an idle sshd and its mounts 3 MiB, a connection to it as much again
PROCESSES_EACH = 6  # an sshd, what holds its namespaces, a connection and what it runs
UP_WITHIN = 120.0


@dataclass(frozen=True)
class Farm:
    """Small hosts that run. folder: holds their disks and keys. holder: the process in whose namespaces they are."""

    folder: Path
    hosts: Mapping[str, str]
    holder: int

    @property
    def key(self) -> Path:
        """The operator's private key."""
        return keys.client_key(self.folder)

    @property
    def known_hosts(self) -> Path:
        """The file that says which host has which key."""
        return keys.known_hosts(self.folder)

    @property
    def inside(self) -> list[str]:
        """What comes before a command that has to reach the hosts."""
        return ["nsenter", f"--net=/proc/{children(self.holder)[0]}/ns/net"]

    @property
    def mounts(self) -> list[str]:
        """What comes before a command that has to see the hosts' roots, mounted at disks/NAME/root of the folder."""
        return ["nsenter", f"--mount=/proc/{children(self.holder)[0]}/ns/mnt"]

    def inventory(self, path: Path, **variables: str) -> Path:
        """Writes an inventory of the hosts. variables: of all of them."""
        shared = {
            "ansible_user": "root",
            "ansible_ssh_private_key_file": str(self.key),
            "hdss7_known_hosts": str(self.known_hosts),
            **variables,
        }
        lines = ["all:", "  vars:", *(f"    {name}: {value}" for name, value in shared.items())]
        lines += ["  children:", f"    {GROUP}:", "      hosts:"]
        lines += [f"        {name}: {{ansible_host: {address}}}" for name, address in self.hosts.items()]
        replace_file(path, "\n".join(lines) + "\n")
        return path

    def stop(self, name: str, by: signal.Signals = signal.SIGKILL) -> None:
        """Sends the host's sshd a signal: SIGKILL ends the host, SIGSTOP freezes it, SIGCONT wakes it."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._sshd[self.hosts[name]], by)

    def silence(self, names: Collection[str]) -> None:
        """From now on no packet reaches these hosts: they are as switched off."""
        lost = ", ".join(self.hosts[name] for name in names)
        rules = (
            f"table ip ill {{\nchain input {{\ntype filter hook input priority 0\nip daddr {{ {lost} }} drop\n}}\n}}\n"
        )
        subprocess.run([*self.inside, "nft", "-f", "-"], input=rules, text=True, check=True)

    def mistake(self, names: Collection[str]) -> None:
        """From now on known_hosts has another key for these hosts than they show."""
        other = keys.ensure(self.folder / "other")
        wrong = {self.hosts[name]: f"{name},{self.hosts[name]} {other}" for name in names}
        lines = self.known_hosts.read_text().splitlines()
        mended = [wrong.get(line.split()[0].partition(",")[2], line) for line in lines]
        replace_file(self.known_hosts, "\n".join(mended) + "\n", 0o644)

    def files(self, name: str) -> Path:
        """Where what a host has written lies."""
        return self.folder / "disks" / name / "upper"

    @cached_property
    def _sshd(self) -> Mapping[str, int]:
        """The process of each address's sshd, once all of them run."""
        found = {}
        for holding in children(children(self.holder)[0]):  # the script is the only child of unshare
            for sshd in children(holding):
                words = Path(f"/proc/{sshd}/cmdline").read_text().replace("\0", " ").split()
                found.update({word.partition("=")[2]: sshd for word in words if word.startswith("ListenAddress=")})
        return found


def refuse_too_many(count: int) -> None:
    """Raises InputError when this machine can't carry so many hosts."""
    memory = next(
        int(line.split()[1]) << 10
        for line in Path("/proc/meminfo").read_text().splitlines()
        if line.startswith("MemAvailable")
    )
    if memory < count * MEMORY_EACH + GIB:
        raise InputError(
            f"{count} small hosts need {(count * MEMORY_EACH + GIB) / GIB:.1f} GiB of memory",
            found=f"{memory / GIB:.1f} GiB are available",
            do="End something else, or ask for fewer",
        )
    running = sum(name.isdigit() for name in os.listdir("/proc"))
    most = min(int(Path(f"/proc/sys/kernel/{limit}").read_text()) for limit in ("pid_max", "threads-max"))
    if most - running < count * PROCESSES_EACH:
        raise InputError(
            f"{count} small hosts need {count * PROCESSES_EACH} processes",
            found=f"{most - running} more may run here (kernel.pid_max, kernel.threads-max)",
            do="End something else, or ask for fewer",
        )


@contextlib.contextmanager
def farm(name: str, count: int, tree: Path) -> Iterator[Farm]:
    """So many hosts, which end with the block. tree: the folder below all their roots.

    Raises InputError for more than this machine can carry, FailedError when one does not start.
    """
    refuse_too_many(count)
    folder = state_folder("farm", name)
    shutil.rmtree(folder, ignore_errors=True)
    hosts = {f"small-{number:04}": str(FIRST + number) for number in range(1, count + 1)}
    _install(folder, hosts)
    argv = [
        *("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"),
        *SCRIPTS.argv("farm", str(tree), str(folder / "disks"), NETWORK, SCRIPTS.text("host")),
    ]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        try:
            process.stdin.writelines(f"{host} {address}\n" for host, address in hosts.items())
            process.stdin.write("up\n")
            process.stdin.flush()
            if process.stdout.readline() != "made\n":
                raise FailedError("the small hosts could not be made", found=f"see above, and {folder}/disks/*/log")
            made = Farm(folder, hosts, process.pid)
            _await(made, hosts.values())
            yield made
        finally:
            process.kill()
    shutil.rmtree(folder)


def _install(folder: Path, hosts: Mapping[str, str]) -> None:
    """Keys, known_hosts, and for each host a disk with them on it."""
    folder.mkdir(mode=0o700, parents=True)
    client = keys.ensure(keys.client_key(folder))
    lines = []
    for host, address in hosts.items():
        disk = folder / "disks" / host
        ssh, root = disk / "upper/etc/ssh", disk / "upper/root/.ssh"
        for each in (ssh, root, disk / "work", disk / "root"):
            each.mkdir(parents=True)
        for each in (disk / "upper", disk / "upper/etc", ssh):
            each.chmod(0o755)  # whatever umask the caller has
        (disk / "upper/root").chmod(0o700)
        public = keys.ensure(ssh / "ssh_host_ed25519_key")
        replace_file(root / "authorized_keys", client + "\n")
        lines.append(f"{host},{address} {public}\n")
    replace_file(keys.known_hosts(folder), "".join(lines), 0o644)


def _await(made: Farm, addresses: Collection[str]) -> None:
    """Waits until every sshd listens: one that has ended never will."""
    until = time.monotonic() + UP_WITHIN
    while silent := sorted(set(addresses) - set(_listening(made.holder))):
        if time.monotonic() > until:
            raise FailedError(f"{len(silent)} small hosts do not listen", found=f"the first is {silent[0]}")
        time.sleep(0.1)


def _listening(holder: int) -> Sequence[str]:
    """The addresses at whose port 22 something listens in the holder's network: proc(5), net/tcp."""
    script = children(holder)
    table = Path(f"/proc/{script[0]}/net/tcp").read_text().splitlines()[1:] if script else []
    local = (line.split()[1] for line in table if line.split()[3] == "0A")
    return [str(IPv4Address(bytes.fromhex(at[:8])[::-1])) for at in local if at.endswith(":0016")]
