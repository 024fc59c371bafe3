"""Pods' network."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import TYPE_CHECKING

import pytest

from provision.verify.checks import Checking, Node, NotHere, check, gather
from provision.verify.commands import Reply, http
from roles.cni import pod_subnets
from tests.verify.cluster import cluster

if TYPE_CHECKING:
    from roles._site import SiteSettings


@check
def test_routes(node: Node, site: SiteSettings) -> Checking:
    """pods of every other node have a route to them"""
    others = {other: subnet for other, subnet in pod_subnets(node.host, site).items() if other != node.host}
    if not others:
        raise NotHere("it is the only node")
    answers = yield from gather(node.sh(f"ip -4 route get {subnet[1]}") for subnet in others.values())
    for (other, subnet), answer in zip(others.items(), answers, strict=True):
        assert f"via {other.address} " in answer.text, f"{subnet[1]} on {other.name}: ip route get gave {answer}"


@pytest.mark.on("nodes")
@check
def test_addresses(node: Node, site: SiteSettings) -> Checking:
    """pods' addresses say which node they are on"""
    subnet = pod_subnets(node.host, site)[node.host]
    seen = yield from cluster(node)
    mine = [p for p in seen.pods() if p.node == node.address and p.address not in ("", node.address)]
    if not mine:
        raise NotHere("no pod with an address of its own runs on it")
    strange = [f"{p.name} {p.address}" for p in mine if IPv4Address(p.address) not in subnet]
    assert not strange, f"not in {subnet}: {', '.join(strange)}"


@check
def test_pods_answer(node: Node) -> Checking:
    """pods on every node answer to this node"""
    seen = yield from cluster(node)
    if not seen.has("Service", "default", "nginx-ds"):
        raise NotHere("the site has no nginx-ds, whose pods are asked")
    pods = seen.pods("default", app="nginx-ds")
    without = {n.address for n in node.group("nodes")} - {pod.node for pod in pods}
    assert pods, "there is no pod of nginx-ds"
    assert not without, f"no pod of nginx-ds runs on {', '.join(sorted(without))}"
    answers = yield from gather(node.sh(http(f"http://{pod.address}/")) for pod in pods)
    for pod, reply in zip(pods, map(Reply.of, answers), strict=True):
        assert reply.status == 200, f"{pod.name} at {pod.address} on {pod.node}: {reply}"


@pytest.mark.on("nodes")
@check
def test_way_out(node: Node, site: SiteSettings) -> Checking:
    """what pods send out of the cluster bears the node's address"""
    subnet = pod_subnets(node.host, site)[node.host]
    answer = yield node.sh("iptables-save -t nat | grep -e MASQUERADE")
    rules = [line for line in answer.lines if f"-s {subnet} " in line and f"! -d {site.cluster_cidr} " in line]
    assert len(rules) == 1, f"{len(rules)} masquerade rules for {subnet}; there should be one"
