"""The cluster's own names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from provision.verify.checks import Checking, Node, NotHere, check, gather
from roles._cluster import api_service, entrance
from tests.verify.cluster import cluster
from tests.verify.wire import lookup

if TYPE_CHECKING:
    from roles._site import SiteSettings


@pytest.mark.on("nodes")
@pytest.mark.parametrize("protocol", ["udp", "tcp"])
@check
def test_cluster_names(node: Node, site: SiteSettings, protocol: str) -> Checking:
    """names of the cluster are answered by the cluster's DNS"""
    name = f"kubernetes.default.svc.{site.cluster_domain}"
    answer = yield node.sh(lookup(site.cluster_dns, name, protocol))
    assert answer.text == f"0 {api_service(site)}", f"{name} at {site.cluster_dns} over {protocol} gave {answer}"


@pytest.mark.on("nodes")
@check
def test_service_names(node: Node, site: SiteSettings) -> Checking:
    """every service's name leads to its address"""
    seen = yield from cluster(node)
    names = {
        f"{s['metadata']['name']}.{s['metadata']['namespace']}.svc.{site.cluster_domain}": s["spec"]["clusterIP"]
        for s in seen.of("Service")
        if s["spec"].get("clusterIP", "None") != "None"
    }
    assert names, "no Service has a cluster address"
    answers = yield from gather(node.sh(lookup(site.cluster_dns, name)) for name in names)
    for (name, address), answer in zip(names.items(), answers, strict=True):
        assert answer.text == f"0 {address}", f"{name} gave {answer}, and should lead to {address}"


@pytest.mark.on("nodes")
@check
def test_other_names(node: Node, site: SiteSettings) -> Checking:
    """other names are asked of the site's bind"""
    if not node.group("dns"):
        raise NotHere("the site has no bind")
    answer = yield node.sh(lookup(site.cluster_dns, f"traefik.{site.domain}"))
    assert answer.text == f"0 {entrance(node.host, site)}", f"traefik.{site.domain} gave {answer}"
