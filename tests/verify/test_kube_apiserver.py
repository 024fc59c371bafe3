"""The API, on each master and through the edge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from provision.verify.checks import Checking, Node, NotHere, Place, check
from roles._cluster import CERT, api_url, entrance
from roles.kube_apiserver import LOCAL
from tests.verify.cluster import cluster

if TYPE_CHECKING:
    from roles._site import SiteSettings

CURL = f"curl -sS -m 5 --cacert {CERT}/ca.pem"


@pytest.mark.gate
@check
def test_ready(node: Node) -> Checking:
    """the API server of this master is ready"""
    answer = yield node.sh(f"{CURL} {LOCAL}/readyz")
    assert answer.text == "ok", f"{LOCAL}/readyz gave {answer}"


@check
def test_through_the_edge(node: Node, site: SiteSettings, outside: Place) -> Checking:
    """the API is reached through the edge, with a certificate that names it"""
    answer = yield node.sh(f"{CURL} {api_url(node.host, site)}/readyz")
    assert answer.text == "ok", f"{api_url(node.host, site)}/readyz gave {answer}"
    reply = yield from outside.http(f"https://{entrance(node.host, site)}:{site.api_port}/readyz")
    assert reply.status == 200, f"from outside: {reply}"


@check
def test_strangers(node: Node, site: SiteSettings) -> Checking:
    """strangers are refused"""
    answer = yield node.sh(f"{CURL} -o /dev/null -w '%{{http_code}}' {LOCAL}/api/v1/secrets")
    assert answer.text in ("401", "403"), f"secrets without a login gave {answer}"


@check
def test_node_ports(node: Node, site: SiteSettings) -> Checking:
    """node ports are in the site's range"""
    seen = yield from cluster(node)
    first, last = (int(part) for part in site.node_ports.split("-"))
    ports = {
        f"{s['metadata']['namespace']}/{s['metadata']['name']} {port['nodePort']}": port["nodePort"]
        for s in seen.of("Service")
        for port in s["spec"].get("ports", ())
        if "nodePort" in port
    }
    if not ports:
        raise NotHere("no Service has a node port")
    outside = [name for name, port in ports.items() if not first <= port <= last]
    assert not outside, f"not in {site.node_ports}: {', '.join(outside)}"
