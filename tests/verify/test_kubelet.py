"""What runs pods on a node."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from provision.verify.checks import Checking, Node, NotHere, check
from roles._cluster import node_name
from tests.verify.cluster import cluster, condition

if TYPE_CHECKING:
    from roles._site import SiteSettings


@pytest.mark.gate
@check
def test_health(node: Node) -> Checking:
    """kubelet answers"""
    answer = yield node.sh("curl -sS -m 5 http://127.0.0.1:10248/healthz")
    assert answer.text == "ok", f"http://127.0.0.1:10248/healthz gave {answer}"


@check
def test_ready(node: Node, site: SiteSettings) -> Checking:
    """the cluster calls the node Ready, by its name and address"""
    found = (yield from cluster(node)).node(node.address)
    name = found["metadata"]["name"]
    assert name == node_name(node.host, site), f"it is called {name}, and should be {node_name(node.host, site)}"
    why = next((c.get("message", "") for c in found["status"]["conditions"] if c["type"] == "Ready"), "")
    assert condition(found, "Ready") == "True", f"Ready is {condition(found, 'Ready') or 'unknown'}: {why}"
    assert not found["spec"].get("unschedulable"), "it is cordoned"


@check
def test_pods(node: Node) -> Checking:
    """every pod on the node is ready"""
    seen = yield from cluster(node)
    mine = [pod for pod in seen.pods() if pod.node == node.address]
    if not mine:
        raise NotHere("no pod runs on it")
    waiting = [f"{pod.namespace}/{pod.name}" for pod in mine if not pod.ready]
    assert not waiting, f"not ready: {', '.join(waiting)}"
