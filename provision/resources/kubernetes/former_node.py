"""sh for what a node leaves behind: on the others the routes to its pods, on its own host all that ran there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network

from provision.remote.shell import Scripts, function
from provision.resources.kubernetes.proxy_rules import CHAINS, look, remove
from provision.resources.kubernetes.registration import NodeApi

_SCRIPTS = Scripts(__file__)
# besides kube-proxy's: kubelet's, and those of the plugins that lead ports of the host to pods
_NODE_CHAINS = f"{CHAINS}|^KUBE-(FIREWALL|KUBELET-CANARY|IPTABLES-HINT|MARK-DROP)$|^CNI-(HOSTPORT|DN|SN)-"


@dataclass(frozen=True)
class Sh:
    """A look at what is left, one thing a line, and what removes it."""

    look: str
    remove: str


def stale_routes(pods: str, routes: Mapping[IPv4Network, str]) -> Sh:
    """Routes to pod networks inside `pods` (CIDR) by way of other hosts than declared. routes: network -> gateway."""
    defined = _routes(pods, (f"{network} via {gateway}" for network, gateway in routes.items()))
    return Sh(f"{defined}stale_routes", f"{defined}remove_stale_routes")


def _routes(pods: str, declared: Iterable[str]) -> str:
    return _SCRIPTS.call("stale_routes", PODS=pods, DECLARED="\n".join(declared))


@dataclass(frozen=True)
class FormerNode:
    """A host that may have been a node.

    units: supervisord's folder of programs. kubelet, kube_proxy: their names there.
    api: how it asks for its Node: while that is there, its pods are not evicted, and nothing is removed.
    pods, services: the cluster's CIDRs. bridge: what pods were connected to. kubelet_root: its folder of volumes.
    unit, containerd_config: of the pod network and of containerd, where ours are.
    """

    api: NodeApi
    units: str
    kubelet: str
    kube_proxy: str
    pods: str
    services: str
    bridge: str
    kubelet_root: str
    unit: str
    containerd_config: str

    @property
    def sh(self) -> Sh:
        """Nothing is looked at, or removed, unless kubelet's unit on the host is ours: it is removed last."""
        seen = (
            _routes(self.pods, ())
            + look(self.services)
            + _SCRIPTS.call(
                "former_node",
                MARK=f"{self.units}/kube-kubelet.conf",
                PROXY_UNIT=f"{self.units}/kube-proxy.conf",
                KUBELET=self.kubelet,
                KUBE_PROXY=self.kube_proxy,
                PODS=self.pods,
                BRIDGE=self.bridge,
                CHAINS=_NODE_CHAINS,
                ROOT=self.kubelet_root,
            )
        )
        clear = function("clear_rules", remove() + _SCRIPTS.call("proxy_clear", self.kube_proxy, _NODE_CHAINS))
        rest = _SCRIPTS.call("former_node_remove", self.unit, CONTAINERD=self.containerd_config)
        return Sh(f"{seen}remains", self.api.state + seen + clear + rest)
