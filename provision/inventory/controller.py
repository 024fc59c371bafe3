"""The controller among the hosts: as a host that the inventory lists, and as the one that needs no listing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from provision.inventory import patterns
from provision.inventory.layers import Layer

CONNECTION = "ansible_connection"
# What an inventory would say of a controller that it does not list.
IMPLICIT = Layer({CONNECTION: "local"}, lambda path: "")


def implicit(hosts: Collection[str]) -> tuple[str, ...]:
    """The names by which the controller can be meant without being listed."""
    return tuple(name for name in patterns.CONTROLLER if name not in hosts)


def named(
    pattern: str, hosts: Sequence[str], groups: Mapping[str, Sequence[str]], local: Collection[str]
) -> tuple[str, ...]:
    """The hosts of a play, of which some are `local`: those are meant only where a part of the pattern names them.

    What is set up on every node of a cluster is not meant for the machine of whoever does it: `all`, `ungrouped` and
    `*` leave it alone. A group, a wildcard such as `local*` or the name itself does not.
    """
    every = {name: tuple(h for h in groups[name] if h not in local) for name in patterns.EVERY if name in groups}
    parts = patterns.split(pattern)
    written = {part.lstrip("!&") for part in parts}
    if "*" in written:
        hosts = tuple(name for name in hosts if name not in local or name in written)
        pattern = ",".join("all" if part == "*" else part for part in parts)
    return patterns.members(pattern, hosts, {**groups, **every})
