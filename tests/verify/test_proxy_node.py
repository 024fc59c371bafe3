"""Hosts that run kube-proxy and no pods: they lead to every service, and the cluster puts nothing on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from provision.verify.checks import Checking, Node, NotHere, Place, check, gather
from provision.verify.commands import Reply, http
from roles._cluster import api_service, node_name
from roles.proxy_node import GROUP, TAINT
from tests.verify.cluster import cluster
from tests.verify.wire import lookup

if TYPE_CHECKING:
    from roles._site import SiteSettings


@pytest.mark.on(GROUP)
@check
def test_node(node: Node, site: SiteSettings) -> Checking:
    """the cluster knows it as a node without pods"""
    seen = yield from cluster(node)
    found = seen.node(node.address)
    assert found["metadata"]["name"] == node_name(node.host, site), f"it is called {found['metadata']['name']}"
    taints = [taint["key"] for taint in found["spec"].get("taints", ())]
    assert TAINT in taints, f"its taints are {taints or 'none'}: pods may be put on it"
    pods = [f"{pod.namespace}/{pod.name}" for pod in seen.pods() if pod.node == node.address]
    assert not pods, f"pods run on it: {', '.join(pods)}"


@pytest.mark.on(GROUP)
@check
def test_node_ports(node: Node, outside: Place) -> Checking:
    """every node port answers from outside"""
    seen = yield from cluster(node)
    ports = [port["nodePort"] for s in seen.of("Service") for port in s["spec"].get("ports", ()) if "nodePort" in port]
    if not ports:
        raise NotHere("no Service has a node port")
    urls = [f"http://{node.address}:{port}/" for port in ports]
    answers = yield from gather(outside.sh(http(url)) for url in urls)
    wrong = [f"{url} gave {reply}" for url, reply in zip(urls, map(Reply.of, answers), strict=True) if not reply.status]
    assert not wrong, "; ".join(wrong)


@pytest.mark.on(GROUP)
@check
def test_cluster_addresses(node: Node, site: SiteSettings) -> Checking:
    """the API and the cluster's DNS answer at their services' addresses"""
    api = str(api_service(site))
    name = f"kubernetes.default.svc.{site.cluster_domain}"
    answers = yield from gather(
        (node.sh(f"curl -ks -m 5 https://{api}/livez"), node.sh(lookup(site.cluster_dns, name)))
    )
    assert answers[0].text == "ok", f"https://{api}/livez gave {answers[0]}"
    assert answers[1].text == f"0 {api}", f"{name} at {site.cluster_dns} gave {answers[1]}"
