"""What the API knows, and how it classifies the rules that a node holds."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kubeproxy import cluster
from kubeproxy.classify import classify
from kubeproxy.cluster import Cluster
from kubeproxy.iptables import Saved
from kubeproxy.kernel import KernelState, removal_step
from kubeproxy.rules import NODE, Address, ClassifiedRule, Rule
from provision.resources import ProxyMode

SERVICE = {
    "kind": "Service",
    "metadata": {"namespace": "default", "name": "web"},
    "spec": {
        "clusterIP": "192.168.0.9",
        "clusterIPs": ["192.168.0.9", "fd00::9"],
        "externalIPs": ["10.4.7.99"],
        "ports": [{"name": "http", "port": 80, "nodePort": 8000, "protocol": "TCP"}, {"name": "dns", "port": 53}],
    },
    "status": {"loadBalancer": {"ingress": [{"ip": "10.4.7.100"}, {"hostname": "ignored"}]}},
}
SLICE = {
    "kind": "EndpointSlice",
    "metadata": {"namespace": "default", "name": "web-x", "labels": {"kubernetes.io/service-name": "web"}},
    "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
    "endpoints": [
        {"addresses": ["172.7.21.2"], "conditions": {"ready": True}},
        {"addresses": ["172.7.22.2"], "conditions": {"ready": False, "terminating": True}},
    ],
}
HEADLESS = {
    "kind": "Service",
    "metadata": {"namespace": "default", "name": "headless"},
    "spec": {"clusterIP": "None", "clusterIPs": ["None"], "ports": [{"port": 80}]},
}
EXTERNAL = {
    "kind": "Service",
    "metadata": {"namespace": "default", "name": "elsewhere"},
    "spec": {"type": "ExternalName", "externalName": "example.org"},
}


def tcp(ip: str, port: int) -> Address:
    return Address(ip, "tcp", port)


def known(*items: dict[str, Any]) -> Cluster:
    return cluster.parse(json.dumps({"items": items or (SERVICE, SLICE, HEADLESS, EXTERNAL)}))


def rule(frontend: Address | None, backend: Address | None = None, **other: Any) -> Rule:
    fields = {"mode": "iptables", "frontend": frontend, "backend": backend, "service": "default/web:http", "source": ""}
    return Rule(**{**fields, **other})


def test_a_service_has_all_its_addresses_and_its_node_port() -> None:
    port = known().ports[0]
    assert port.service == "default/web:http"
    assert port.asked == {tcp(ip, 80) for ip in ("192.168.0.9", "fd00::9", "10.4.7.99", "10.4.7.100")} | {
        tcp(NODE, 8000)
    }


def test_terminating_endpoints_are_known_and_no_slice_means_none() -> None:
    http, dns = known().ports[:2]
    assert http.endpoints == {tcp("172.7.21.2", 8080), tcp("172.7.22.2", 8080)}
    assert dns.endpoints == frozenset()


def test_an_answer_that_is_no_list_is_an_error() -> None:
    with pytest.raises(ValueError, match="Expecting value"):
        cluster.parse("The connection to the server was refused")


POD, GONE = tcp("172.7.21.2", 8080), tcp("172.7.21.77", 8080)
ASKED = tcp("192.168.0.9", 80)
JUDGED = {
    "a Service's own": (rule(ASKED, POD), "known", ""),
    "a node port": (rule(tcp(NODE, 8000), POD), "known", ""),
    "refused while it has no endpoint": (rule(tcp("192.168.0.9", 53), None), "known", ""),
    "an endpoint that is gone": (rule(ASKED, GONE), "stale", "172.7.21.77:8080 is no endpoint of default/web:http"),
    "a Service that is gone": (
        rule(tcp("192.168.0.8", 80), POD, service="default/old:http"),
        "stale",
        "Service default/old is gone",
    ),
    "a port that its Service no longer has": (
        rule(tcp("192.168.0.9", 81), POD),
        "stale",
        "default/web:http is not asked for there",
    ),
    "without a name": (rule(tcp("192.168.0.8", 80), POD, service=""), "stale", "no Service is asked for there"),
    "a chain on its own": (rule(None, POD), "stale", "nothing leads to it"),
    "of another mode": (rule(ASKED, POD, mode="nftables"), "stale", "left by mode nftables; iptables is in use"),
    "of another program": (rule(ASKED, POD, foreign=True), "foreign", "not written by kube-proxy"),
    "foreign wins": (rule(ASKED, POD, mode="ipvs", foreign=True), "foreign", "not written by kube-proxy"),
}


@pytest.mark.parametrize(("held", "state", "why"), JUDGED.values(), ids=JUDGED)
def test_a_rule_is_classified_by_what_the_api_knows(held: Rule, state: str, why: str) -> None:
    (found,) = classify([held], known(), "iptables")
    assert (found.state, found.why) == (state, why)


IPVS = {
    "a running one": (rule(ASKED, POD, mode="ipvs", weight=1), "known"),
    "an endpoint that is gone": (rule(ASKED, GONE, mode="ipvs", weight=1), "stale"),
    "weight 0, endpoint gone": (rule(ASKED, GONE, mode="ipvs", weight=0), "draining"),
    "weight 0, endpoint there": (rule(ASKED, POD, mode="ipvs", weight=0), "draining"),
    "weight 0, Service gone": (rule(tcp("192.168.0.8", 80), POD, mode="ipvs", weight=0), "draining"),
    "a node port on the node's own address": (rule(tcp("10.4.7.21", 8000), POD, mode="ipvs", weight=1), "known"),
    "a node port on no address of the node": (rule(tcp("10.4.7.10", 8000), POD, mode="ipvs", weight=1), "stale"),
}


@pytest.mark.parametrize(("held", "state"), IPVS.values(), ids=IPVS)
def test_ipvs_weight_0_drains_and_node_ports_are_on_own_addresses(held: Rule, state: str) -> None:
    assert classify([held], known(), "ipvs", {"10.4.7.21"})[0].state == state


def test_a_rule_without_a_service_gets_that_of_its_frontend() -> None:
    assert (
        classify([rule(ASKED, POD, mode="ipvs", service="", weight=1)], known(), "ipvs")[0].service
        == "default/web:http"
    )


def test_without_a_known_mode_nothing_is_a_leftover_of_another() -> None:
    assert classify([rule(ASKED, POD, mode="nftables")], known(), None)[0] == ClassifiedRule(
        rule(ASKED, POD, mode="nftables"), "known", service="default/web:http"
    )


@pytest.mark.parametrize(
    ("running", "mode"),
    [((), "nftables"), (("iptables",), "iptables"), (("iptables", "nftables"), None), (("userspace",), None)],
)
def test_the_mode_in_use_is_that_of_the_running_kube_proxy(running: tuple[str, ...], mode: str | None) -> None:
    assert KernelState(modes=running).in_use("nftables") == mode


LEFT = (
    "chain KUBE-SERVICES iptables nat",
    "chain KUBE-IPVS-FILTER iptables filter",
    "table ip6",
    "link kube-ipvs0",
    "set KUBE-CLUSTER-IP",
)


@pytest.mark.parametrize(
    ("mode", "of"),
    [
        ("iptables", ["ipvs", "nftables", "ipvs", "ipvs"]),
        ("nftables", ["iptables", "ipvs", "ipvs", "ipvs"]),
        ("ipvs", ["nftables"]),
    ],
)
def test_a_leftover_of_another_mode_is_a_rule_of_that_mode(mode: Any, of: list[str]) -> None:
    assert [rule.mode for rule in KernelState(leftovers=LEFT).rules(mode)] == of


def test_removing_another_mode_keeps_the_chains_of_the_used_one() -> None:
    proxy = ProxyMode(program="kube-proxy-7-21", mode="iptables", services="192.168.0.0/16")
    state = KernelState(leftovers=LEFT, chains=(Saved(), Saved()))
    script = removal_step(
        proxy, state, [rule for rule in state.rules("iptables") if rule.mode == "ipvs"], "iptables"
    ).script
    calls = [line for line in script.splitlines() if line.startswith(("save_rules", "drop_")) and "()" not in line]
    assert calls[0] == "save_rules"
    assert calls[1].startswith("drop_chains '^KUBE-(LOAD-BALANCER|")
    assert calls[2:] == ["drop_ipvs"]
