"""The cluster's Nodes beside the inventory: none with another address, none closed that is declared again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from provision.resources import NodeAddresses, Resource, ReturnedNodes
from roles._cluster import KUBECTL, address_of, members, node_name
from roles._fixed import declared

if TYPE_CHECKING:
    from provision.inventory import Host
    from roles._site import SiteSettings


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Variables of the cluster_nodes role, all under `cluster_nodes:`. It has none."""


def cluster_nodes(host: Host, site: SiteSettings, settings: Settings) -> Iterator[Resource]:
    """Refuses a node's new address; opens what a run closed that began to take it out."""
    if not site.managed:
        return
    nodes = members(host, "nodes")
    addresses = {node_name(node, site): declared(node, "ansible_host", address_of(node)) for node in nodes}
    yield NodeAddresses(kubectl=KUBECTL, addresses=addresses)
    yield ReturnedNodes(kubectl=KUBECTL, declared=tuple(addresses))
