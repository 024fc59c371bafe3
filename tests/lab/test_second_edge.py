"""A deployed site of one edge gets a second one and an address for both, in one deploy, while clients look names up."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab import commands
from lab.state import Lab
from tests.lab.clients import EDGE, unharmed
from tests.lab.two_edges import INVENTORY, JOINS, VIP, TwoEdges, asking_by_name, looked_up, note
from tests.lab.typed import KUBECTL, deployed_site

NAME = "t-second"


@pytest.fixture(scope="module")
def site() -> Iterator[TwoEdges]:
    """The default site, with one edge."""
    with deployed_site(TwoEdges(NAME)) as made:
        yield made


def test_a_second_edge_and_an_address_cost_nobody_a_request(site: TwoEdges) -> None:
    lab = Lab.named(NAME)
    assert looked_up(lab, "demo.od.com") == EDGE
    commands.up(NAME, [INVENTORY], say=lambda _: None)
    with asking_by_name(NAME) as prober:
        deployed = site.typed("deploy")
        receipt = prober.receipt()
    assert deployed.code == 0, str(deployed)
    note(JOINS, receipt, f"names lead to {VIP}, held by {site.holder()}; kubelets ask the API there")
    assert unharmed(receipt), receipt
    assert looked_up(lab, "demo.od.com") == VIP
    conf = "/opt/kubernetes/server/bin/conf"
    asked = site.on("hdss7-21", f"grep -h server: {conf}/kubelet.kubeconfig {conf}/kube-proxy.kubeconfig")
    assert asked.split() == ["server:", f"https://{VIP}:7443"] * 2
    again = site.typed("plan", "--json")
    assert (again.code, again.changes) == (0, set()), str(again)
    site.await_healthy()
    verified = site.typed("verify")
    assert verified.code == 0, str(verified)
    assert "hdss7-22" in site.on("hdss7-21", f"{KUBECTL} get nodes")
