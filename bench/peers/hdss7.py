"""This toolkit, with a project of its own: supervisord asked through /proc as it is shipped, or by supervisorctl."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.clock import ROOT
from bench.peers.contestant import Contestant, Hosts
from bench.peers.workload import (
    GREETING,
    PACKAGES,
    PROGRAMS,
    TEMPLATES,
    UNIT,
    Action,
    folder,
    write_files,
    write_templates,
)

PROJECT = Path(__file__).parent / "project"
STATE = "/var/lib/provision"  # on a host: two projects that take turns there would each miss what the other declares


def hdss7(work: Path, hosts: Hosts) -> Contestant:
    """As it is shipped."""
    return _contestant("hdss7", "this toolkit", "proc", work, hosts)


def hdss7_asking(work: Path, hosts: Hosts) -> Contestant:
    """The same question that the others ask."""
    return _contestant("hdss7-asking", "this toolkit, asking supervisorctl", "supervisorctl", work, hosts)


# the module of the installed command `hdss7`; the clone's `invoke` is a little slower to start
COMMAND = (sys.executable, "-m", "hdss7.main")


def options(work: Path, name: str = "hdss7") -> Sequence[str]:
    """What names the project of one of them on a command line."""
    return ["--project", str(work / name), "--inventory", str(work / name / "inventory")]


def inventory(name: str, asked: str, hosts: Hosts) -> str:
    """The hosts and the variables of the role; JSON is YAML. name: whose folder on the hosts."""
    role = {
        "folder": folder(name),
        "files": list(TEMPLATES),
        "packages": list(PACKAGES),
        "unit": UNIT,
        "programs": list(PROGRAMS),
        "asked": asked,
        "greeting": GREETING,
    }
    shared = {
        "ansible_user": "root",
        "ansible_ssh_private_key_file": str(hosts.key),
        "hdss7_known_hosts": str(hosts.known_hosts),
        "peers": role,
    }
    each = {host: {"ansible_host": address} for host, address in hosts.addresses.items()}
    return json.dumps({"all": {"vars": shared, "hosts": each}}, indent=1) + "\n"


def _contestant(name: str, title: str, asked: str, work: Path, hosts: Hosts) -> Contestant:
    place = work / name
    shutil.copytree(PROJECT, place, ignore=shutil.ignore_patterns("__pycache__"))
    write_templates(place / "templates/peers")
    write_files(place, {"inventory/hosts.yml": inventory(name, asked, hosts)})

    def typed(action: Action, answer: str) -> Sequence[str]:
        verb = "plan" if action is Action.CHECK else "deploy"
        return [*COMMAND, verb, *options(work, name), "--extra-vars", f"peers.answer={answer}"]

    return Contestant(name, title, typed, ROOT, state=STATE, ours=True)
