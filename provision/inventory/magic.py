"""The names that every host has of itself, as Ansible calls them: its own name and groups, and those of all others."""

from __future__ import annotations

import ipaddress
import os.path
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from provision.inventory.variables import Scope, View


class Magic:
    """What is the same for all hosts of an inventory, once.

    groups: the hosts of each. hosts: the names of all. scope_of: the variables of a host, by its name; KeyError where
    there is none. playbook_dir: the folder with site.yml.
    """

    def __init__(
        self,
        groups: Mapping[str, Sequence[str]],
        hosts: Collection[str],
        scope_of: Callable[[str], Scope],
        playbook_dir: Path,
    ) -> None:
        self._groups = groups
        self._hostvars = _HostVars(hosts, scope_of)
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


class _HostVars(Mapping[str, View]):
    def __init__(self, hosts: Collection[str], scope_of: Callable[[str], Scope]) -> None:
        self._hosts = hosts
        self._scope_of = scope_of

    def __getitem__(self, name: str) -> View:
        return View(self._scope_of(name))

    def __iter__(self) -> Iterator[str]:
        return iter(self._hosts)

    def __len__(self) -> int:
        return len(self._hosts)


def _is_ip(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
