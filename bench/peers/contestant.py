"""Who takes part: how each is set up on the controller, and by which command it does the common work."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.environments import programs
from bench.peers.workload import Action

LOCKS = Path(__file__).parent / "locks"
# Words of the machine's own set-up that would make the runs of one contestant differ from those of another machine.
LEFT_OUT = ("ANSIBLE_", "BW_", "HDSS7_", "PYINFRA_", "PYTHON", "SSH_", "XDG_")


@dataclass(frozen=True)
class Hosts:
    """The hosts, as a controller beside them reaches them: as root, with one key, and with their keys known.

    addresses: by name. ssh_config: a file for `ssh -F` that says so, for those who use the system's ssh.
    """

    addresses: Mapping[str, str]
    key: Path
    known_hosts: Path
    ssh_config: Path


@dataclass(frozen=True)
class Contestant:
    """One row of the table.

    name: its folder's, here and on the hosts. title: the row's. command(action, answer): what is typed.
    folder: where. environment: what it finds there, besides what everyone does.
    state: what it keeps on a host under a path that another contestant keeps something at too, or ''.
    ours: it is this toolkit.
    """

    name: str
    title: str
    command: Callable[[Action, str], Sequence[str]]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    state: str = ""
    ours: bool = False


def installed(name: str) -> Path:
    """The folder of a peer's programs, in the environment of its lock. Raises what `programs` does."""
    return programs(f"peers/{name}", LOCKS / f"{name}.lock")


def ssh_config(hosts: Mapping[str, str], key: Path, known_hosts: Path) -> str:
    """The text of an ssh_config(5) for these hosts, by name and by address."""
    blocks = [f"Host {name} {address}\n  HostName {address}\n" for name, address in hosts.items()]
    shared = {
        "User": "root",
        "IdentityFile": f'"{key}"',
        "IdentitiesOnly": "yes",
        "UserKnownHostsFile": f'"{known_hosts}"',
        "GlobalKnownHostsFile": "/dev/null",
        "StrictHostKeyChecking": "yes",
        "BatchMode": "yes",
    }
    return "".join(blocks) + "Host *\n" + "".join(f"  {name} {value}\n" for name, value in shared.items())


def environment(home: Path, inherited: Mapping[str, str]) -> dict[str, str]:
    """What every contestant finds in its environment: a home of its own, and nobody's settings."""
    kept = {name: value for name, value in inherited.items() if not name.startswith(LEFT_OUT)}
    return {**kept, "HOME": str(home), "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
