"""Nodes of hosts that are in no group of nodes any more: listed by every plan, taken out by --prune."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from provision.inventory.changes import Free
from provision.inventory.types import Positive
from provision.resources import ForeignNodes, Resource, UndeclaredNodes
from roles._cluster import KUBECTL, members, node_name
from roles.proxy_node import GROUP

if TYPE_CHECKING:
    from provision.inventory import Host
    from roles._site import SiteSettings


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Variables of the former_nodes role, all under `former_nodes:`."""

    evict_timeout: Free[Positive] = 300  # seconds for the evictions of a node that leaves; budgets may forbid them


def former_nodes(host: Host, site: SiteSettings, settings: Settings) -> Iterator[Resource]:
    """Their pods move, with respect for disruption budgets, then they are deleted."""
    if not site.managed:
        return
    names = tuple(node_name(node, site) for group in ("nodes", GROUP) for node in members(host, group))
    yield UndeclaredNodes(kubectl=KUBECTL, declared=names, timeout=settings.evict_timeout)
    yield ForeignNodes(kubectl=KUBECTL, declared=names)
