"""Nodes that run kube-proxy and no kubelet: nobody else tells the cluster of them, and kube-proxy waits till then."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from provision.resources import Command, Resource
from roles._cluster import KUBECTL, members, node_name

if TYPE_CHECKING:
    from provision.inventory import Host
    from roles._site import SiteSettings

GROUP = "proxy_only"
TAINT = "proxy-only"


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Variables of the proxy_node role, all under `proxy_node:`. It has none."""


def proxy_node(host: Host, site: SiteSettings, settings: Settings) -> Iterator[Resource]:
    """A Node for each host of group proxy_only, closed to pods. It is created, not applied: only so it keeps a status,
    and kube-proxy takes the addresses of its node ports from there."""
    if not site.managed:
        return
    for other in members(host, GROUP):
        name, address = node_name(other, site), other.address
        word = shlex.quote(name)
        look = "-o 'jsonpath={.status.addresses[?(@.type==\"InternalIP\")].address}'"
        node = msgspec.json.encode(_node(name, address)).decode()
        yield Command(
            name=f"node {name}",
            run=f"{KUBECTL} delete node {word} --ignore-not-found\necho {shlex.quote(node)} | {KUBECTL} create -f -",
            unless=f'[ "$({KUBECTL} --request-timeout=5s get node {word} {look})" = {shlex.quote(address)} ]',
        )


def _node(name: str, address: str) -> dict[str, object]:
    taint = {"key": TAINT, "effect": "NoSchedule"}
    addresses = [{"type": "InternalIP", "address": address}, {"type": "Hostname", "address": name}]
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
        "spec": {"unschedulable": True, "taints": [taint]},
        "status": {"addresses": addresses},
    }
