"""What all edges behind one address have to have the same: a client does not know which of them holds it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import msgspec

from provision.errors import InputError
from provision.inventory.settings import bind
from roles._cluster import members

if TYPE_CHECKING:
    from provision.inventory import Host

# of role edge: the size of the machine, how it judges nodes, and the program, which may be tried on one edge first
OF_ONE_EDGE = frozenset(
    {
        "program",
        "worker_processes",
        "keepalive",
        "max_fails",
        "fail_timeout",
        "connections",
        "shutdown_timeout",
        "handover_wait",
        "api_fail_timeout",
    }
)
Path = tuple[str, ...]


def check_alike(host: Host, name: str, mine: msgspec.Struct, free: frozenset[str] = frozenset()) -> None:
    """Raises InputError where an edge's settings of a role differ from the first edge's, with both lines.

    mine: the settings of `host`, under `name:`. free: those that may differ.
    """
    first = next(iter(members(host, "edge")), host)
    paths = [path for path in differences(mine, bind(type(mine), first, name)) if path[0] not in free]
    if not paths:
        return
    path = (name, *paths[0])
    raise InputError(
        f"{'.'.join(path)} is not the same for the edges {first.name} and {host.name}",
        line=_origin(host, path) or _origin(first, path),
        host=host.name,
        found=f"{first.name} has it from {_origin(first, path) or 'the default'}, {host.name} from "
        f"{_origin(host, path) or 'the default'}; what a client gets would depend on who holds site.vip",
        do="Set it once for all edges: in group_vars/edge.yml or group_vars/all",
    )


def differences(left: object, right: object) -> Iterator[Path]:
    """Where two values of settings differ: the deepest place of each difference."""
    if left == right:
        return
    some, other = _parts(left), _parts(right)
    if some is None or other is None:
        yield ()
        return
    for key in dict.fromkeys((*some, *other)):
        if key not in some or key not in other:
            yield (key,)
        else:
            yield from ((key, *path) for path in differences(some[key], other[key]))


def _parts(value: object) -> Mapping[str, object] | None:
    """The parts of a struct or a mapping, by name; None of anything else."""
    if isinstance(value, msgspec.Struct):
        return {field: getattr(value, field) for field in value.__struct_fields__}
    return value if isinstance(value, Mapping) else None


def _origin(host: Host, path: Path) -> str:
    """The line that sets it, or what it is in: all of a mapping may be set at once."""
    return next(filter(None, (host.origin(*path[:size]) for size in range(len(path), 1, -1))), "")
