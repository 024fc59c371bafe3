"""Pods' networks: one a node, known to all other nodes, and open to the world through the node alone."""

from __future__ import annotations

import json

import pytest

from provision.errors import InputError
from tests.unit.conftest import Declared

CONFLIST = "File /etc/cni/net.d/10-hdss7.conflist"
SCRIPT = "File /usr/local/sbin/pod-network"


@pytest.mark.parametrize(("host", "subnet"), [("hdss7-21", "172.7.21.0/24"), ("hdss7-22", "172.7.22.0/24")])
def test_a_pod_s_address_shows_its_node(declared: Declared, host: str, subnet: str) -> None:
    bridge, portmap = json.loads(declared(host, "cni")[CONFLIST].content)["plugins"]
    assert bridge["ipam"]["ranges"] == [[{"subnet": subnet}]]
    assert (portmap["type"], portmap["snat"]) == ("portmap", True)


def test_a_node_routes_to_other_nodes_pods_without_masquerade(declared: Declared) -> None:
    script = declared("hdss7-21", "cni")[SCRIPT].content.decode()
    assert "ip route replace 172.7.22.0/24 via 10.4.7.22\n" in script
    assert "172.7.21.0/24 via" not in script
    assert "-s 172.7.21.0/24 ! -d 172.7.0.0/16 ! -o cni0 -j MASQUERADE" in script


def test_routes_and_rules_come_back_with_the_host(declared: Declared) -> None:
    cni = declared("hdss7-21", "cni")
    assert (
        "ExecStart=/usr/local/sbin/pod-network\n"
        in cni["File /etc/systemd/system/pod-network.service"].content.decode()
    )
    assert cni["Service pod-network.service"].enabled
    assert cni["Command pod network"].unless == "/usr/local/sbin/pod-network check"


def test_another_cluster_network_moves_the_pods(declared: Declared) -> None:
    script = declared("hdss7-21", "cni", "site.cluster_cidr=10.244.0.0/16")[SCRIPT].content.decode()
    assert "ip route replace 10.244.22.0/24 via 10.4.7.22" in script


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("cni.subnet=172.7.9.0/24", "its pods would share 172.7.9.0/24 with those of hdss7-21"),
        ("cni.subnet=172.8.0.0/24", "not inside site.cluster_cidr"),
        ("cni.subnet=172.7.9.1/24", "is not a network"),
        ("site.cluster_cidr=172.7.0.0/24", "not inside site.cluster_cidr"),
    ],
)
def test_a_subnet_that_can_not_be_meant(declared: Declared, written: str, said: str) -> None:
    with pytest.raises(InputError) as error:
        declared("hdss7-21", "cni", written)
    assert said in str(error.value)
