"""pyinfra as it is shipped, and the same with TCP_NODELAY on its sockets."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.peers.contestant import Contestant, Hosts, installed
from bench.peers.workload import (
    ASK,
    GREETING,
    PACKAGES,
    START,
    TEMPLATES,
    UNIT,
    Action,
    folder,
    write_files,
    write_templates,
)

HERE = Path(__file__).parent
DEPLOY = """\
from pyinfra import host
from pyinfra.facts.server import Command
from pyinfra.operations import apt, files, server, systemd

apt.packages(packages={packages!r})
files.directory(path={folder!r}, user="root", group="root", mode="755")
for number in {numbers!r}:
    files.template(
        src=f"templates/{{number}}.conf.j2",
        dest=f"{folder}/{{number}}.conf",
        user="root",
        group="root",
        mode="644",
        create_remote_dir=False,
        number=number,
        greeting={greeting!r},
        answer=host.data.answer,
    )
systemd.service(service={unit!r}, running=True, enabled=True)
if host.get_fact(Command, command={ask!r}) != "running":
    server.shell(commands=[{start!r}])
"""


def pyinfra(work: Path, hosts: Hosts) -> Contestant:
    """As pip installs it."""
    place = installed("pyinfra")
    return _contestant("pyinfra", "pyinfra as shipped", [str(place / "pyinfra")], work, hosts)


def pyinfra_nodelay(work: Path, hosts: Hosts) -> Contestant:
    """The same program with one option of its sockets set: paramiko leaves Nagle's algorithm on."""
    python = installed("pyinfra") / "python"
    command = [str(python), "-P", str(HERE / "nodelay.py")]  # -P: this very module hides theirs otherwise
    return _contestant("pyinfra-nodelay", "pyinfra, its sockets with TCP_NODELAY", command, work, hosts)


def deploy(place: str) -> str:
    """The common work as a deploy of pyinfra. place: the folder on the hosts."""
    ask = f"{shlex.join(ASK)} >/dev/null && echo running || echo not running"
    return DEPLOY.format(
        packages=list(PACKAGES),
        folder=place,
        numbers=TEMPLATES,
        greeting=GREETING,
        unit=UNIT,
        ask=ask,
        start=shlex.join(START),
    )


def inventory(hosts: Hosts) -> str:
    """The hosts, as pyinfra's Python."""
    shared = {
        "ssh_user": "root",
        "ssh_key": str(hosts.key),
        "ssh_known_hosts_file": str(hosts.known_hosts),
        "ssh_strict_host_key_checking": "yes",
        "ssh_config_file": str(hosts.ssh_config),
    }
    each = [(name, {"ssh_hostname": address, **shared}) for name, address in hosts.addresses.items()]
    return f"hosts = {each!r}\n"


def _contestant(name: str, title: str, command: Sequence[str], work: Path, hosts: Hosts) -> Contestant:
    place = work / name
    write_templates(place / "templates")
    write_files(place, {"inventory.py": inventory(hosts), "deploy.py": deploy(folder(name))})
    return Contestant(name, title, _typed(command), place)


def _typed(command: Sequence[str]) -> Callable[[Action, str], Sequence[str]]:
    def typed(action: Action, answer: str) -> Sequence[str]:
        how = "--dry" if action is Action.CHECK else "--yes"
        return [*command, how, "--data", f"answer={answer}", "inventory.py", "deploy.py"]

    return typed
