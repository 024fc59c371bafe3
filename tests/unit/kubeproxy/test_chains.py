"""What is behind an entrance, and what nothing leads to, whichever mode wrote the chains."""

from __future__ import annotations

from kubeproxy.chains import ChainGraph
from kubeproxy.rules import Address, Rule

WEB, DNS = Address("192.168.0.9", "tcp", 80), Address("192.168.0.2", "tcp", 53)
POD, OTHER = Address("172.7.21.2", "tcp", 8080), Address("172.7.22.2", "tcp", 8080)
GRAPH = ChainGraph(
    jumps={"ext": ["web"], "web": ["pod", "other"], "dns": ["pod"], "pod": [], "other": [], "loop": ["loop"]},
    backends={"pod": [POD], "other": [OTHER]},
)


def rule(frontend: Address, backend: Address) -> Rule:
    return Rule("iptables", frontend, backend, "", "")


def test_an_entrance_leads_to_every_backend_below_it() -> None:
    assert GRAPH.below("ext") == ["ext", "web", "pod", "other"]
    assert GRAPH.backends_below("ext") == [POD, OTHER]
    assert GRAPH.backends_below("elsewhere") == []


def test_a_cut_jump_is_not_followed() -> None:
    assert GRAPH.below("ext", [("web", "pod")]) == ["ext", "web", "other"]


def test_chains_that_lead_in_a_circle_end() -> None:
    assert GRAPH.below("loop") == ["loop"]


def test_a_stale_backend_is_cut_below_its_own_frontend_only() -> None:
    entrances = [(WEB, "ext"), (DNS, "dns"), (None, "web")]
    assert GRAPH.stale_jumps(entrances, [rule(WEB, POD)]) == [("web", "pod")]
    assert GRAPH.stale_jumps(entrances, [rule(DNS, POD)]) == [("dns", "pod")]
    assert GRAPH.stale_jumps(entrances, [rule(DNS, OTHER)]) == []


def test_a_chain_that_no_entrance_leads_to_is_unreached() -> None:
    assert list(GRAPH.unreached(["ext", "dns"])) == ["loop"]
    assert list(GRAPH.unreached(["ext"], [("web", "pod")])) == ["dns", "pod", "loop"]
