"""What hosts keep of nodes that left the inventory's groups: listed by every plan, taken away by --prune."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from provision.inventory.settings import bind
from provision.resources import Leftovers, Resource
from provision.resources.kubernetes.former_node import FormerNode, stale_routes
from roles import cni, containerd, kubelet
from roles._cluster import address_of, is_ipv4, members, numbered
from roles._component import UNITS
from roles.proxy_node import GROUP

if TYPE_CHECKING:
    from provision.inventory import Host
    from roles._site import SiteSettings


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Variables of the leftovers role, all under `leftovers:`. It has none."""


def leftovers(host: Host, site: SiteSettings, settings: Settings) -> Iterator[Resource]:
    """Routes to pod networks that no node has any more; on a host that was a node, all that ran because it was one."""
    masters, limit = members(host, "masters"), host.inventory.limit
    if not site.managed or (limit and masters and masters[0] not in host.inventory.select(limit)):
        return  # the first master moves a node's pods before anything is taken away from under them
    if host in (*members(host, "nodes"), *members(host, GROUP)):
        subnets = cni.pod_subnets(host, site)
        routes = {subnet: str(address_of(node)) for node, subnet in subnets.items() if node != host}
        found = stale_routes(site.cluster_cidr, routes)
        yield Leftovers(name="routes to pods", look=found.look, remove=found.remove)
    elif is_ipv4(host.address):  # no other host can have been a node
        found = _former_node(host, site).sh
        yield Leftovers(name="node", look=found.look, remove=found.remove, timeout=300)


def _former_node(host: Host, site: SiteSettings) -> FormerNode:
    return FormerNode(
        api=kubelet.node_api(host, site),
        units=UNITS,
        kubelet=numbered("kube-kubelet", host),
        kube_proxy=numbered("kube-proxy", host),
        pods=site.cluster_cidr,
        services=site.service_cidr,
        bridge=bind(cni.Settings, host, "cni").bridge,
        kubelet_root=bind(kubelet.Settings, host, "kubelet").root,
        unit=cni.UNIT,
        containerd_config=containerd.CONFIG,
    )
