"""A node that no kubelet speaks for: the cluster is told of it, and nothing else changes where there is none."""

from __future__ import annotations

import json
import re

from tests.unit.conftest import ROOT, Declared


def test_a_lab_without_the_virtual_machine_has_nothing_of_it(declared: Declared) -> None:
    assert declared("hdss7-21", "proxy_node") == {}
    assert "hdss7-23" not in declared("hdss7-21", "base")["File /etc/hosts"].content.decode()


def test_the_node_takes_no_pods_and_says_its_address(declared: Declared) -> None:
    command = declared("hdss7-21", "proxy_node", also=(ROOT / "inventory/lab-vm",))["Command node hdss7-23.host.com"]
    said = re.search(r"echo '(.*)' \|", command.run)
    assert said
    node = json.loads(said[1])
    assert node["spec"] == {"unschedulable": True, "taints": [{"key": "proxy-only", "effect": "NoSchedule"}]}
    assert {"type": "InternalIP", "address": "10.4.7.23"} in node["status"]["addresses"]
    assert command.unless.endswith("= 10.4.7.23 ]")


def test_a_host_without_pods_gets_only_routes(declared: Declared) -> None:
    cni = declared("hdss7-23", "cni", also=(ROOT / "inventory/lab-vm",))
    script = cni["File /usr/local/sbin/pod-network"].content.decode()
    assert "ip route replace 172.7.21.0/24 via 10.4.7.21\n" in script
    assert "ip route replace 172.7.22.0/24 via 10.4.7.22\n" in script
    assert "MASQUERADE" not in script
    assert not [key for key in cni if "/etc/cni" in key or key.startswith("Package")]


def test_the_edge_sends_nothing_to_it(declared: Declared) -> None:
    edge = declared("hdss7-11", "edge", made=False, also=(ROOT / "inventory/lab-vm",))["ConfigSet /etc/nginx"]
    sent = b"".join(edge.contents).decode()
    assert "10.4.7.22:81 " in sent
    assert "10.4.7.23" not in sent
