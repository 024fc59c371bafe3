"""Which variable wins: Ansible's order of precedence, and the names that may not be set at all."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from provision.errors import InputError
from provision.inventory import ansible
from provision.inventory.access import OLD_NAMES, renamed
from provision.inventory.controller import IMPLICIT, implicit
from provision.inventory.groups import Tree
from provision.inventory.layers import Layer
from provision.inventory.sources import Source, VariableFiles
from provision.spelling import distance, listed, nearest

# What tells things of one kind apart: numbers, and single letters
_SERIES = re.compile(r"[\W_]*\d+|(?<![^\W_])[A-Za-z](?![^\W_])")


def host_layers(
    tree: Tree, sources: Sequence[Source], plays: VariableFiles | None, extra: Sequence[Layer]
) -> dict[str, tuple[Layer, ...]]:
    """Each host's variables, weakest first; those of a controller that is not listed too, which has what `all` has.

    `vars` of all, then of the other groups; group_vars/all, then of the other groups; what hosts.yml says of the
    host itself; host_vars; extra variables. Among groups, the one further from `all` wins, then the higher
    ansible_group_priority, then the later name; among sources, the later; after those `plays`, the folders beside
    site.yml (docs.ansible.com, "Using Variables"; VARIABLE_PRECEDENCE). Raises InputError for what can't be read.
    """
    order = tree.precedence()
    folders = (*(source.variables for source in sources), *((plays,) if plays else ()))
    files = {name: [folder.variables("group_vars", name) for folder in folders] for name in order}
    said = {**tree.hosts, **dict.fromkeys(implicit(tree.hosts), (IMPLICIT,))}
    members: dict[str, list[str]] = {host: [] if host in tree.hosts else list(order[:1]) for host in said}
    for name in order:
        for host in tree.members(name):
            members[host].append(name)
    made: dict[str, tuple[Layer, ...]] = {}
    inventories = range(len(sources))
    for host, mine in members.items():
        made[host] = (
            *(layer for name in mine for layer in tree.groups[name].layers),
            *(layer for layers in files["all"] for layer in layers),
            *(layer for place in inventories for name in mine[1:] for layer in files[name][place]),
            *(layer for name in mine[1:] for layers in files[name][len(sources) :] for layer in layers),
            *said[host],
            *(layer for folder in folders for layer in folder.variables("host_vars", host)),
            *extra,
        )
    return made


def notes(tree: Tree, made: Mapping[str, Sequence[Layer]]) -> tuple[str, ...]:
    """What the variables of an inventory say without effect, each name once. Raises InputError for what is refused."""
    every = (layer for layers in made.values() for layer in layers)
    idle = (layer for group in tree.groups.values() for layer in group.layers)
    found: dict[str, str] = {}
    known: set[str] = set()
    for layer in {id(layer): layer for layer in (*every, *idle)}.values():
        for name, value in layer.values.items():
            if name in found or (name in known and name not in OLD_NAMES):
                continue
            known.add(name)
            line = layer.line((name,)) if ansible.is_special(name) or name in OLD_NAMES else ""
            note = ansible.check_name(name, line) or renamed(name, value, line)
            if note:
                found[name] = note
    return tuple(found.values())


def unread(tree: Tree, sources: Sequence[Source]) -> tuple[str, ...]:
    """The files of group_vars/ and host_vars/ that no host reads, a note for all of a kind.

    Files for a group or a host of another inventory beside it are for that one. Raises InputError for a name that is
    misspelt: its variables would never be read, and nobody would know.
    """
    found = []
    for source in sources:
        for kind, what, known in (
            ("group_vars", "group", tree.groups.keys()),
            ("host_vars", "host", {*tree.hosts, *implicit(tree.hosts)}),
        ):
            idle = [each for each in source.variables.strangers(kind, known) if not source.mentions(each[0])]
            for name, shown in idle:
                if near := _misspelt(name, known, slips=1 if what == "group" else 0):
                    raise InputError(
                        f"there is no {what} '{name}' to take these variables", line=shown, do=f"Did you mean '{near}'?"
                    )
            if idle:
                files = listed((shown for _, shown in idle), 6)
                found.append(f"{files}: has no effect, because the inventory has no {what} of that name")
    return tuple(found)


def _misspelt(name: str, known: Iterable[str], slips: int) -> str:
    """The name that was meant, `slips` letters away. hdss7-12 beside hdss7-21 is another one, and so is b beside a."""
    near = nearest(name, known)
    written, meant = (each.lower().replace("-", "_") for each in (name, near))
    another = _SERIES.sub("", written) == _SERIES.sub("", meant)
    return near if near and distance(written, meant) <= slips and (written == meant or not another) else ""
