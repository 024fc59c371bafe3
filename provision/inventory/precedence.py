"""Which variable wins: Ansible's order of precedence, and the names that may not be set at all."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from provision.errors import InputError
from provision.inventory import ansible
from provision.inventory.groups import PRIORITY, Tree
from provision.inventory.layers import Layer
from provision.inventory.sources import Source
from provision.spelling import nearest

_DIGITS = re.compile(r"\d")


def host_layers(tree: Tree, sources: Sequence[Source], extra: Sequence[Layer]) -> dict[str, tuple[Layer, ...]]:
    """Each host's variables, weakest first.

    `vars` of all, then of the other groups; group_vars/all, then of the other groups; what hosts.yml says of the
    host itself; host_vars; extra variables. Among groups, the one further from `all` wins, then the higher
    ansible_group_priority, then the later name; among sources, the later (docs.ansible.com, "Using Variables").
    Raises InputError for a variable that is not supported, and for a file of variables that no host would read.
    """
    _check_files(sources, frozenset(tree.groups), frozenset(tree.hosts))
    order = tree.precedence()
    files = {name: [source.variables("group_vars", name) for source in sources] for name in order}
    _check_priority(layer for found in files.values() for layers in found for layer in layers)
    members = {name: frozenset(tree.members(name)) for name in order}
    made: dict[str, tuple[Layer, ...]] = {}
    for host in tree.hosts:
        mine = [name for name in order if host in members[name]]
        made[host] = (
            *(layer for name in mine for layer in tree.groups[name].layers),
            *(layer for layers in files["all"] for layer in layers),
            *(layer for place in range(len(sources)) for name in mine[1:] for layer in files[name][place]),
            *tree.hosts[host],
            *(layer for source in sources for layer in source.variables("host_vars", host)),
            *extra,
        )
    idle = [layer for group in tree.groups.values() for layer in group.layers]
    idle += [layer for found in files.values() for layers in found for layer in layers]
    _check_names([*idle, *(layer for layers in made.values() for layer in layers), *extra])
    return made


def _check_names(every: Iterable[Layer]) -> None:
    for layer in {id(layer): layer for layer in every}.values():
        for name in layer.values:
            ansible.check_name(name, layer.line((name,)))


def _check_priority(layers: Iterable[Layer]) -> None:
    for layer in layers:
        if PRIORITY in layer.values:
            line = layer.line((PRIORITY,))
            raise InputError(f"{PRIORITY} has no effect in group_vars", line=line, do="Set it in hosts.yml.")


def _check_files(sources: Sequence[Source], groups: frozenset[str], hosts: frozenset[str]) -> None:
    """Variables for a misspelt group or host would never be read, and nobody would know."""
    for source in sources:
        for kind, what, known in (("group_vars", "group", groups), ("host_vars", "host", hosts)):
            for name, shown in source.strangers(kind, known):
                near = nearest(name, known)
                # hdss7-12 beside hdss7-21 is another host, not a slip of the finger.
                if near and _DIGITS.sub("", near) != _DIGITS.sub("", name):
                    raise InputError(
                        f"there is no {what} '{name}' to take these variables",
                        line=shown,
                        do=f"Did you mean '{near}'?",
                    )
