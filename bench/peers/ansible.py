"""ansible-core, alone and with Mitogen, and ansible-core-rs: one playbook for all of them.

They are tuned as their documents advise: pipelining, no facts, one connection a host by ControlMaster.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

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

CONFIG = """\
[defaults]
gathering = explicit
host_key_checking = True
retry_files_enabled = False
nocows = True
[ssh_connection]
pipelining = True
ssh_args = -o ControlMaster=auto -o ControlPersist=60s
control_path_dir = {sockets}
"""


def ansible(work: Path, hosts: Hosts) -> Contestant:
    """ansible-core."""
    name = "ansible"
    return _contestant(name, "ansible-core", [str(installed("ansible") / "ansible-playbook")], work, hosts, {})


def mitogen(work: Path, hosts: Hosts) -> Contestant:
    """ansible-core with the strategy of Mitogen, from the same environment."""
    place = installed("ansible")
    [strategies] = place.parent.glob("lib/python*/site-packages/ansible_mitogen/plugins/strategy")
    environment = {"ANSIBLE_STRATEGY": "mitogen_linear", "ANSIBLE_STRATEGY_PLUGINS": str(strategies)}
    command = [str(place / "ansible-playbook")]
    return _contestant("mitogen", "ansible-core + Mitogen", command, work, hosts, environment)


def ansible_core_rs(work: Path, hosts: Hosts) -> Contestant:
    """ansible-core-rs. Its templates do not see the variable of a loop; it compares no host key, whatever is set."""
    name = "ansible-rs"
    command = [str(installed("ansible-core-rs") / "ansible"), "playbook"]
    made = _contestant(name, "ansible-core-rs", command, work, hosts, {})
    write_files(made.folder, {"site.yml": playbook(folder(name), loop=False)})
    return made


def playbook(place: str, loop: bool = True) -> str:
    """The common work as a playbook. place: the folder on the hosts. loop: the files are one task with a loop."""
    each = [{"number": number} for number in TEMPLATES]
    looped = {**_template(place), "loop": list(TEMPLATES), "loop_control": {"loop_var": "number"}}
    files = [looped] if loop else [{**_template(place, **one), "vars": one} for one in each]
    tasks = [
        {"name": "packages", "ansible.builtin.apt": {"name": list(PACKAGES), "state": "present"}},
        {"name": "folder", "ansible.builtin.file": {"path": place, "state": "directory", "mode": "0755"}},
        *files,
        {"name": "unit", "ansible.builtin.systemd": {"name": UNIT, "state": "started", "enabled": True}},
        {
            "name": "programs, asked",
            "ansible.builtin.command": " ".join(ASK),
            "register": "programs",
            "changed_when": False,
            "failed_when": False,
            "check_mode": False,
        },
        {"name": "programs", "ansible.builtin.command": " ".join(START), "when": "programs.rc != 0"},
    ]
    shared = {"gather_facts": False, "vars": {"greeting": GREETING}}
    play = {"name": "the common work", "hosts": "all", **shared, "tasks": tasks}
    return yaml.safe_dump([play], sort_keys=False)


def _template(place: str, number: int | str = "{{ number }}") -> dict[str, Any]:
    return {
        "name": "files",
        "ansible.builtin.template": {
            "src": f"templates/{number}.conf.j2",
            "dest": f"{place}/{number}.conf",
            "owner": "root",
            "group": "root",
            "mode": "0644",
        },
    }


def inventory(hosts: Hosts) -> str:
    """The hosts, as Ansible's YAML."""
    shared = {
        "ansible_user": "root",
        "ansible_ssh_private_key_file": str(hosts.key),
        "ansible_ssh_common_args": f"-F {hosts.ssh_config}",
        "ansible_python_interpreter": "/usr/bin/python3",
    }
    each = {name: {"ansible_host": address} for name, address in hosts.addresses.items()}
    return yaml.safe_dump({"all": {"vars": shared, "hosts": each}}, sort_keys=False)


def _contestant(
    name: str, title: str, command: Sequence[str], work: Path, hosts: Hosts, environment: Mapping[str, str]
) -> Contestant:
    place = work / name
    sockets = work / f"cp-{name}"
    sockets.mkdir()
    write_templates(place / "templates")
    write_files(
        place,
        {
            "ansible.cfg": CONFIG.format(sockets=sockets),
            "hosts.yml": inventory(hosts),
            "site.yml": playbook(folder(name)),
        },
    )
    return Contestant(
        name, title, _typed(command), place, {"ANSIBLE_CONFIG": str(place / "ansible.cfg"), **environment}
    )


def _typed(command: Sequence[str]) -> Callable[[Action, str], Sequence[str]]:
    def typed(action: Action, answer: str) -> Sequence[str]:
        check = ["--check"] if action is Action.CHECK else []
        return [*command, "-i", "hosts.yml", *check, "-e", f"answer={answer}", "site.yml"]

    return typed
