"""The names that every host has of itself, as Ansible calls them: its own name and groups, and those of all others."""

from __future__ import annotations

import ipaddress
import os.path
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from provision.inventory.variables import Scope, View


class Magic:
    """What is the same for all hosts of an inventory, once.

    groups: the hosts of each. scopes: each host's variables, by its name. playbook_dir: the folder with site.yml.
    """

    def __init__(self, groups: Mapping[str, Sequence[str]], scopes: Mapping[str, Scope], playbook_dir: Path) -> None:
        self._groups = groups
        self._scopes = scopes
        self._playbook_dir = str(playbook_dir)

    def of(self, name: str, groups: Sequence[str], file: str) -> dict[str, Any]:
        """The names of one host. groups: those that it is in; file: the inventory file that it was first met in."""
        return {
            "inventory_hostname": name,
            "inventory_hostname_short": name if _is_ip(name) else name.partition(".")[0],
            "inventory_file": file,
            # Ansible's for the hosts of `--inventory h1,h2,` is the text None
            "inventory_dir": os.path.dirname(file) if os.path.isabs(file) else str(None),
            "playbook_dir": self._playbook_dir,
            "ansible_playbook_python": sys.executable,
            "groups": self._members,
            "group_names": list(groups),
            "hostvars": self._hostvars,
        }

    @cached_property
    def _members(self) -> dict[str, list[str]]:
        return {name: list(members) for name, members in self._groups.items()}

    @cached_property
    def _hostvars(self) -> Mapping[str, View]:
        return _HostVars(self._scopes)


class _HostVars(Mapping[str, View]):
    def __init__(self, scopes: Mapping[str, Scope]) -> None:
        self._scopes = scopes

    def __getitem__(self, name: str) -> View:
        return View(self._scopes[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._scopes)

    def __len__(self) -> int:
        return len(self._scopes)


def _is_ip(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
