"""Ansible itself, as a process: reads inventories and says what each host has. Runs in the environment of ansible-core.

One JSON object a line on standard input (Question) gives one on standard output (Answer). Nothing of this project is
imported here, so that what the tests compare with can't be this project's own idea of it.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from typing import Any

warnings.simplefilter("ignore")
for name, value in {
    "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true",
    "ANSIBLE_DEPRECATION_WARNINGS": "false",
    "ANSIBLE_CONFIG": os.path.join(os.environ["ORACLE_HOME"], "none.cfg"),
    "ANSIBLE_HOME": os.path.join(os.environ["ORACLE_HOME"], "ansible"),
}.items():
    os.environ[name] = value

from ansible.errors import AnsibleError  # noqa: E402
from ansible.inventory.manager import InventoryManager  # noqa: E402
from ansible.parsing.dataloader import DataLoader  # noqa: E402
from ansible.plugins.loader import init_plugin_loader  # noqa: E402
from ansible.template import Templar  # noqa: E402
from ansible.vars.hostvars import HostVars  # noqa: E402
from ansible.vars.manager import VariableManager  # noqa: E402
from plain import plain  # noqa: E402

NOT_COMPARED = ("ansible_playbook_python", "ansible_config_file", "ansible_version", "groups", "hostvars", "omit")


def answer(question: dict[str, Any]) -> dict[str, Any]:
    """What Ansible makes of `sources`, with the folder of the playbook and patterns to resolve."""
    loader = DataLoader()
    loader.set_basedir(question["playbook_dir"])
    try:
        inventory = InventoryManager(loader=loader, sources=question["sources"])
        manager = VariableManager(loader=loader, inventory=inventory)
        manager._hostvars = HostVars(inventory=inventory, variable_manager=manager, loader=loader)
        names = [host.name for host in inventory.groups["all"].get_hosts()]
        return {
            "error": "",
            "hosts": {name: variables(loader, manager, inventory.get_host(name)) for name in names},
            "groups": {name: [host.name for host in group.get_hosts()] for name, group in inventory.groups.items()},
            "fixed": {name: fixed(group) for name, group in inventory.groups.items()},
            "patterns": {pattern: matched(inventory, pattern) for pattern in question["patterns"]},
        }
    except AnsibleError as error:
        return {"error": str(error) or type(error).__name__}
    except Exception as error:  # Ansible ends in a traceback
        return {"error": f"{type(error).__name__}: {error}"}


def fixed(group: Any) -> int:
    """How many hosts of a group are always in the same order: Ansible goes through deeper groups as a set."""
    return len({host.name for each in (group, *group.child_groups) for host in each.hosts})


def variables(loader: Any, manager: Any, host: Any) -> dict[str, Any]:
    """Each variable of a host, evaluated: {"value": …}, or {"error": …}."""
    known = manager.get_vars(host=host)
    return {
        name: evaluated(Templar(loader=loader, variables=known), value)
        for name, value in known.items()
        if name not in NOT_COMPARED
    }


def evaluated(templar: Any, value: Any) -> dict[str, Any]:
    try:
        return {"value": plain(templar.template(value))}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


def matched(inventory: Any, pattern: str) -> Any:
    try:
        return [host.name for host in inventory.get_hosts(pattern)]
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def main() -> None:
    init_plugin_loader()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what Ansible displays is no answer
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    main()
