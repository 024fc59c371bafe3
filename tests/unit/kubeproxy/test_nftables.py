"""nft's JSON as rules for Services, and the input of nft that removes stale ones and nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubeproxy import nftables
from kubeproxy.rules import NODE, Address, Rule

# a node of the lab, Kubernetes 1.34: with a Service without endpoints, and one with sessionAffinity
RECORDED = (Path(__file__).parent / "recorded" / "nft.json").read_text()
Services = Mapping[int, frozenset[int]]


def tcp(ip: str, port: int) -> Address:
    return Address(ip, "tcp", port)


def found(text: str) -> set[Rule]:
    return set(nftables.rules(nftables.parse(text)))


def applied(text: str, given: str) -> str:
    """What `nft -f` makes of the table, with its refusals as failing tests."""
    entries: list[dict[str, Any]] = json.loads(text)["nftables"]
    for command in given.splitlines():
        verb, what, _, _, name, *rest = command.split(" ")
        if what == "element":
            inner = [word for word in rest if word not in "{}"]
            key = [int(word) if word.isdigit() else word for word in inner if word != "."]
            (holder,) = [e for entry in entries for e in entry.values() if e.get("name") == name and "elem" in e]
            held = [each for each in holder["elem"] if _key(each) != key]
            assert len(held) == len(holder["elem"]) - 1, command
            holder["elem"] = held
        elif (verb, what) == ("replace", "rule"):
            (rule,) = [e["rule"] for e in entries if e.get("rule", {}).get("handle") == int(rest[1])]
            shares = re.findall(r"(\d+) : goto ([^ ,}]+)", command)
            data = {"set": [[int(number), {"goto": {"target": target}}] for number, target in shares]}
            assert [int(number) for number, _ in shares] == list(range(len(shares)))
            assert f" mod {len(shares)} " in command
            rule["expr"] = [{"vmap": {"key": {"numgen": {"mod": len(shares)}}, "data": data}}]
        elif (verb, what) == ("delete", "rule"):
            entries = [e for e in entries if e.get("rule", {}).get("handle") != int(rest[1])]
        elif (verb, what) == ("flush", "chain"):
            entries = [e for e in entries if e.get("rule", {}).get("chain") != name]
        else:
            assert (verb, what) == ("delete", "chain"), command
            entries = [e for e in entries if e.get("chain", {}).get("name") != name]
            assert f'"target": "{name}"' not in json.dumps(entries), f"{name} is in use"
    return json.dumps({"nftables": entries})


def _key(element: Any) -> Any:
    return element[0]["concat"] if isinstance(element, list) else [element]


def _hash(number: int) -> str:
    return "".join(chr(ord("A") + int(digit)) for digit in f"{number:08}")


def written(services: Services) -> str:
    """What kube-proxy would have written for these Services, port 80 and node port 3000 + their number."""
    entries: list[dict[str, Any]] = []
    ips, ports = [], []
    handle = 0
    for number, ends in services.items():
        name = f"{_hash(number)}-default/s{number}/tcp/http"
        service, external = f"service-{name}", f"external-{name}"
        targets = [
            f"endpoint-{_hash(1000 * number + end)}-default/s{number}/tcp/http__172.7.21.{end}/8080"
            for end in sorted(ends)
        ]
        entries += [{"chain": {"name": chain}} for chain in (service, external, *targets)]
        ips.append([{"concat": [f"192.168.0.{number}", "tcp", 80]}, {"goto": {"target": service}}])
        ports.append([{"concat": ["tcp", 3000 + number]}, {"goto": {"target": external}}])
        data = {"set": [[place, {"goto": {"target": target}}] for place, target in enumerate(targets)]}
        rules: list[tuple[str, list[Any]]] = [(external, [{"goto": {"target": service}}])]
        rules.append((service, [{"vmap": {"key": {"numgen": {"mod": len(ends)}}, "data": data}}]))
        for target, end in zip(targets, sorted(ends), strict=True):
            match = {"match": {"op": "==", "left": {"meta": {"key": "l4proto"}}, "right": "tcp"}}
            rules.append((target, [match, {"dnat": {"addr": f"172.7.21.{end}", "port": 8080}}]))
        for chain, expr in rules:
            handle += 1
            entries.append({"rule": {"chain": chain, "handle": handle, "expr": expr}})
    entries.append({"set": {"name": "cluster-ips", "elem": [f"192.168.0.{number}" for number in services]}})
    entries += [{"map": {"name": "service-ips", "elem": ips}}, {"map": {"name": "service-nodeports", "elem": ports}}]
    return json.dumps({"nftables": entries})


def test_a_node_s_table_is_read_as_the_services_that_it_has() -> None:
    lines = found(RECORDED)
    nginx = "default/nginx-ds:http"
    assert Rule("nftables", tcp(NODE, 8000), tcp("172.7.22.7", 80), nginx, "service-nodeports") in lines
    assert Rule("nftables", tcp("192.168.235.104", 80), tcp("172.7.21.4", 80), nginx, "service-ips") in lines
    assert [rule.backend for rule in lines if rule.source == "no-endpoint-services"] == [None]
    assert {rule.backend for rule in lines if rule.service == "kube-public/sticky"} == {
        tcp("172.7.21.8", 80),
        tcp("172.7.22.4", 80),
    }


@pytest.mark.parametrize(
    ("chain", "service"),
    [
        ("service-ULMVA6XW-ns1/svc1/tcp/p80", "ns1/svc1:p80"),
        ("service-ULMVA6XW-ns1/svc1/tcp/", "ns1/svc1"),
        ("endpoint-5OJB2KTY-ns1/svc1/tcp/p80__10.180.0.1/80", "ns1/svc1:p80"),
        ("endpoint-5OJB2KTY-ns1/svc1/tcp/p80__10.18...", "ns1/svc1:p80"),
        ("endpoint-5OJB2KTY-ns1/a-very-long-na...", ""),
        ("masquerading", ""),
    ],
)
def test_a_service_is_named_by_a_chain_that_is_not_truncated(chain: str, service: str) -> None:
    elem = [[{"concat": ["192.168.0.9", "tcp", 80]}, {"goto": {"target": chain}}]]
    text = json.dumps({"nftables": [{"map": {"name": "service-ips", "elem": elem}}]})
    assert [rule.service for rule in found(text)] == [service]


def test_no_table_holds_nothing() -> None:
    assert found("") == set()


def test_what_is_no_json_is_an_error() -> None:
    with pytest.raises(ValueError, match="Expecting value"):
        nftables.parse("Error: syntax error")


@pytest.mark.parametrize("port", [tcp("172.7.21.8", 80), tcp("172.7.22.4", 80)])
def test_an_endpoint_is_removed_with_its_session_affinity(port: Address) -> None:
    stale = {rule for rule in found(RECORDED) if rule.backend == port}
    after = found(applied(RECORDED, nftables.removal_input(nftables.parse(RECORDED), stale)))
    assert after == found(RECORDED) - stale


def test_a_removed_service_takes_its_address_with_it() -> None:
    stale = {rule for rule in found(RECORDED) if rule.service == "default/nginx-ds:http"}
    given = nftables.removal_input(nftables.parse(RECORDED), stale)
    assert "delete element ip kube-proxy service-nodeports { tcp . 8000 }\n" in given
    assert "delete element ip kube-proxy cluster-ips { 192.168.235.104 }\n" in given
    assert found(applied(RECORDED, given)) == found(RECORDED) - stale


def test_nothing_stale_nothing_to_do() -> None:
    assert nftables.removal_input(nftables.parse(RECORDED), ()) == ""


octets = st.integers(1, 250)
services = st.dictionaries(octets, st.frozensets(octets, min_size=1, max_size=5), min_size=1, max_size=5)


@given(services, st.data())
@settings(max_examples=50, deadline=None)
def test_only_stale_rules_are_removed(services: Services, data: st.DataObject) -> None:
    text = written(services)
    before = found(text)
    pairs = [(service, end) for service, ends in services.items() for end in ends]
    assert {(_number(rule), rule.backend) for rule in before} == {(s, tcp(f"172.7.21.{e}", 8080)) for s, e in pairs}
    gone: Collection[tuple[int, int]] = data.draw(st.sets(st.sampled_from(pairs)))
    stale = {
        rule for rule in before if (_number(rule), rule.backend) in {(s, tcp(f"172.7.21.{e}", 8080)) for s, e in gone}
    }
    assert found(applied(text, nftables.removal_input(nftables.parse(text), stale))) == before - stale


def _number(rule: Rule) -> int:
    number = re.search(r"/s(\d+):", rule.service)
    assert number
    return int(number[1])
