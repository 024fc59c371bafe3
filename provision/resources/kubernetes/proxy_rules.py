"""What kube-proxy's three modes keep in the kernel: sh that looks at it, saves it, and removes it by its names."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Literal

from provision.facts.question import STATE_DIRECTORY
from provision.remote.shell import Scripts

Mode = Literal["iptables", "nftables", "ipvs"]
SAVED = f"{STATE_DIRECTORY}/kube-proxy"
KEPT = 5  # sets of saved rules

# pkg/proxy/{iptables,ipvs}/proxier.go in Kubernetes 1.15 to 1.34. KUBE-FIREWALL, KUBE-KUBELET-CANARY and
# KUBE-IPTABLES-HINT are kubelet's; KUBE-ROUTER-…, KUBE-POD-FW-… and others belong to other programs.
_IPTABLES = "(SVC|SVL|SEP|EXT|FW|XLB)-[A-Z2-7]+|NODEPORTS|EXTERNAL-SERVICES"
_IPVS = "LOAD-BALANCER|NODE-PORT|IPVS-FILTER|IPVS-OUT-FILTER|SOURCE-RANGES-FIREWALL"
_BOTH = "SERVICES|FORWARD|PROXY-FIREWALL|PROXY-CANARY"
_KUBELETS_TOO = "POSTROUTING|MARK-MASQ"  # a kubelet before 1.28 makes them as well: no proof of anything
CHAINS = f"^KUBE-({_IPTABLES}|{_IPVS}|{_BOTH}|{_KUBELETS_TOO})$"
SETS = "^KUBE-(6-)?(LOOP-BACK|CLUSTER-IP|EXTERNAL-IP|LOAD-BALANCER|NODE-PORT|HEALTH-CHECK-NODE-PORT|IPVS-IPS)"
LEFT: dict[Mode, str] = {  # chains that prove another mode
    "iptables": f"^KUBE-({_IPVS})$",
    "nftables": f"^KUBE-({_IPTABLES}|{_IPVS}|{_BOTH})$",
    "ipvs": f"^KUBE-({_IPTABLES})$",
}

SCRIPTS = Scripts(__file__)


def look(services: str) -> str:
    """sh functions that print what is there, one thing a line. services: the CIDR of the cluster's Services."""
    network = IPv4Network(services)
    first, last = int(network.network_address), int(network.broadcast_address)
    return SCRIPTS.call("proxy_look", SETS=SETS, FIRST=str(first), LAST=str(last))


def remove() -> str:
    """sh functions that save and remove what `look` finds; they want its functions before them."""
    return SCRIPTS.call("proxy_remove", FOLDER=SAVED, KEPT=str(KEPT))


def flush_untranslated(services: str) -> str:
    """sh that deletes the connection-tracking entries made while no rule led to Services. services: their CIDR."""
    return SCRIPTS.call("flush_untranslated", services)
