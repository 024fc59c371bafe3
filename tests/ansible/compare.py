"""What Ansible and this toolkit make of the same inventories, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from provision.errors import InputError
from provision.inventory import Host, Inventory
from tests.ansible.environment import Ansible
from tests.ansible.plain import plain

FACTS = "ansible_facts"  # nobody has gathered any


class Compare:
    """Reads inventories with both."""

    def __init__(self, ansible: Ansible) -> None:
        self.ansible = ansible

    def same(self, *sources: Path | str, playbook_dir: Path | None = None, patterns: Sequence[str] = ()) -> Inventory:
        """The inventory, after asserting that hosts, groups, variables and patterns are those that Ansible sees."""
        playbook_dir = playbook_dir or Path("/")
        theirs = self.ansible.load(sources, playbook_dir, patterns)
        assert not theirs["error"], f"Ansible refuses it: {theirs['error']}"
        inventory = Inventory.load([Path(source) for source in sources], playbook_dir=playbook_dir)
        assert [host.name for host in inventory.hosts] == list(inventory.groups["all"])
        assert set(inventory.groups) == set(theirs["groups"])
        for name, members in theirs["groups"].items():
            size = theirs["fixed"][name]
            assert list(inventory.groups[name][:size]) == members[:size], f"order of {name}"
            assert sorted(inventory.groups[name]) == sorted(members), f"hosts of {name}"
        for host in inventory.hosts:
            wanted = theirs["hosts"][host.name]
            wanted.pop(FACTS, None)
            assert values(host, wanted) == wanted, f"variables of {host.name}"
        assert {pattern: selected(inventory, pattern) for pattern in patterns} == theirs["patterns"]
        return inventory

    def both_refuse(self, *sources: Path | str) -> InputError:
        """This toolkit's error, after asserting that Ansible does not read the inventories either."""
        assert self.ansible.load(sources, Path("/"))["error"], "Ansible reads it"
        try:
            Inventory.load([Path(source) for source in sources])
        except InputError as error:
            return error
        raise AssertionError("this toolkit reads what Ansible refuses")


def values(host: Host, wanted: dict[str, Any]) -> dict[str, Any]:
    """Every variable of the host, and the magic ones that Ansible lists; what neither can evaluate is the same."""
    found: dict[str, Any] = {}
    for name in {*host.vars, *(each for each in wanted if each in host.vars)}:
        try:
            found[name] = {"value": plain(host.vars[name])}
        except InputError as error:
            found[name] = wanted[name] if "error" in wanted.get(name, {}) else {"error": str(error)}
    return found


def selected(inventory: Inventory, pattern: str) -> Any:
    """The names of the hosts that a pattern means, or why there are none."""
    try:
        return [host.name for host in inventory.select(pattern)]
    except InputError as error:
        return str(error)
