"""What the API knows, and what it makes of the lines that a node holds."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kubeproxy import cluster
from kubeproxy.classify import judged
from kubeproxy.cluster import Cluster
from kubeproxy.iptables import Saved
from kubeproxy.kernel import Held, cleaning
from kubeproxy.rules import NODE, Address, Judged, Line
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


def line(asked: Address | None, to: Address | None = None, **other: Any) -> Line:
    return Line(**{"mode": "iptables", "asked": asked, "to": to, "service": "default/web:http", "at": "", **other})


def test_a_service_is_asked_for_at_all_its_addresses_and_at_its_node_port() -> None:
    port = known().ports[0]
    assert port.service == "default/web:http"
    assert port.asked == {tcp(ip, 80) for ip in ("192.168.0.9", "fd00::9", "10.4.7.99", "10.4.7.100")} | {
        tcp(NODE, 8000)
    }


def test_an_endpoint_that_ends_its_work_is_known_and_a_port_without_a_slice_has_none() -> None:
    http, dns = known().ports[:2]
    assert http.endpoints == {tcp("172.7.21.2", 8080), tcp("172.7.22.2", 8080)}
    assert dns.endpoints == frozenset()


def test_an_answer_that_is_no_list_is_an_error() -> None:
    with pytest.raises(ValueError, match="Expecting value"):
        cluster.parse("The connection to the server was refused")


POD, GONE = tcp("172.7.21.2", 8080), tcp("172.7.21.77", 8080)
ASKED = tcp("192.168.0.9", 80)
JUDGED = {
    "a Service's own": (line(ASKED, POD), "known", ""),
    "a node port": (line(tcp(NODE, 8000), POD), "known", ""),
    "refused while it has no endpoint": (line(tcp("192.168.0.9", 53), None), "known", ""),
    "an endpoint that is gone": (line(ASKED, GONE), "stale", "172.7.21.77:8080 is no endpoint of default/web:http"),
    "a Service that is gone": (
        line(tcp("192.168.0.8", 80), POD, service="default/old:http"),
        "stale",
        "Service default/old is gone",
    ),
    "a port that its Service no longer has": (
        line(tcp("192.168.0.9", 81), POD),
        "stale",
        "default/web:http is not asked for there",
    ),
    "without a name": (line(tcp("192.168.0.8", 80), POD, service=""), "stale", "no Service is asked for there"),
    "a chain on its own": (line(None, POD), "stale", "nothing leads to it"),
    "of another mode": (line(ASKED, POD, mode="nftables"), "stale", "left by mode nftables; iptables is in use"),
    "of another program": (line(ASKED, POD, foreign=True), "foreign", "not written by kube-proxy"),
    "foreign wins": (line(ASKED, POD, mode="ipvs", foreign=True), "foreign", "not written by kube-proxy"),
}


@pytest.mark.parametrize(("held", "state", "why"), JUDGED.values(), ids=JUDGED)
def test_a_line_is_judged_by_what_the_api_knows(held: Line, state: str, why: str) -> None:
    (found,) = judged([held], known(), "iptables")
    assert (found.state, found.why) == (state, why)


IPVS = {
    "a running one": (line(ASKED, POD, mode="ipvs", weight=1), "known"),
    "an endpoint that is gone": (line(ASKED, GONE, mode="ipvs", weight=1), "stale"),
    "weight 0, endpoint gone": (line(ASKED, GONE, mode="ipvs", weight=0), "draining"),
    "weight 0, endpoint there": (line(ASKED, POD, mode="ipvs", weight=0), "draining"),
    "weight 0, Service gone": (line(tcp("192.168.0.8", 80), POD, mode="ipvs", weight=0), "draining"),
    "a node port on the node's own address": (line(tcp("10.4.7.21", 8000), POD, mode="ipvs", weight=1), "known"),
    "a node port on no address of the node": (line(tcp("10.4.7.10", 8000), POD, mode="ipvs", weight=1), "stale"),
}


@pytest.mark.parametrize(("held", "state"), IPVS.values(), ids=IPVS)
def test_in_mode_ipvs_weight_0_is_draining_and_node_ports_stand_on_the_node_s_addresses(held: Line, state: str) -> None:
    assert judged([held], known(), "ipvs", {"10.4.7.21"})[0].state == state


def test_a_line_that_names_no_service_is_told_whose_it_is() -> None:
    assert (
        judged([line(ASKED, POD, mode="ipvs", service="", weight=1)], known(), "ipvs")[0].service == "default/web:http"
    )


def test_where_no_mode_is_known_nothing_is_said_to_be_left_by_another() -> None:
    assert judged([line(ASKED, POD, mode="nftables")], known(), None)[0] == Judged(
        line(ASKED, POD, mode="nftables"), "known", service="default/web:http"
    )


@pytest.mark.parametrize(
    ("running", "mode"),
    [((), "nftables"), (("iptables",), "iptables"), (("iptables", "nftables"), None), (("userspace",), None)],
)
def test_the_mode_in_use_is_that_of_the_one_kube_proxy_that_runs(running: tuple[str, ...], mode: str | None) -> None:
    assert Held(modes=running).in_use("nftables") == mode


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
def test_what_another_mode_has_left_is_a_line_of_that_mode(mode: Any, of: list[str]) -> None:
    assert [line.mode for line in Held(left=LEFT).lines(mode)] == of


def test_cleaning_of_another_mode_leaves_the_chains_of_the_one_in_use() -> None:
    proxy = ProxyMode(program="kube-proxy-7-21", mode="iptables", services="192.168.0.0/16")
    held = Held(left=LEFT, chains=(Saved(), Saved()))
    script = cleaning(proxy, held, [line for line in held.lines("iptables") if line.mode == "ipvs"], "iptables").script
    calls = [line for line in script.splitlines() if line.startswith(("save_rules", "drop_")) and "()" not in line]
    assert calls[0] == "save_rules"
    assert calls[1].startswith("drop_chains '^KUBE-(LOAD-BALANCER|")
    assert calls[2:] == ["drop_ipvs"]
