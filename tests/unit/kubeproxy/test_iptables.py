"""iptables-save as rules for Services, and the input of iptables-restore that removes stale ones and nothing else."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from kubeproxy import iptables
from kubeproxy.rules import NODE, Address, Rule

RECORDED = (Path(__file__).parent / "recorded" / "iptables-save.txt").read_text()  # a node of the lab, Kubernetes 1.34
HEAD = "*nat\n:PREROUTING ACCEPT [0:0]\n:KUBE-SERVICES - [0:0]\n:KUBE-NODEPORTS - [0:0]\n:MY-OWN - [0:0]\n"
FOREIGN = "-A MY-OWN -p tcp -m tcp --dport 81 -j DNAT --to-destination 172.7.21.9:80\n"
Services = Mapping[int, frozenset[int]]  # the last octet of a Service's address -> those of its endpoints


def tcp(ip: str, port: int) -> Address:
    return Address(ip, "tcp", port)


def found(text: str) -> set[Rule]:
    return set(iptables.rules(iptables.parse(text)))


def restored(text: str, given: str) -> str:
    """What `iptables-restore --noflush` makes of the saved text, with its refusals as failing tests."""
    chains: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line.startswith(":"):
            chains[line[1:].split()[0]] = []
        elif line.startswith("-A "):
            chains[line.split()[1]].append(line)
    for line in given.splitlines():
        word, _, rest = line.partition(" ")
        if word.startswith(":"):
            chains[word[1:]] = []
        elif word == "-D":
            chains[rest.split()[0]].remove(f"-A {rest}")
        elif word == "-A":
            chains[rest.split()[0]].append(line)
        elif word == "-X":
            assert not chains.pop(rest), f"{rest} is not empty"
            assert not any(rule.endswith(f"-j {rest}") for rules in chains.values() for rule in rules), f"{rest} in use"
    body = "".join(f":{chain} - [0:0]\n" for chain in chains) + "\n".join(r for rules in chains.values() for r in rules)
    return f"*nat\n{body}\nCOMMIT\n"


def written(services: Services) -> str:
    """What kube-proxy would have written for these Services, port 80 and node port 3000 + their number."""
    chains, rules = [], [FOREIGN.strip()]
    for number, ends in services.items():
        name = f"A{_letters(number)}"
        comment = f'-m comment --comment "default/s{number}:http'
        chains += [f":KUBE-SVC-{name} - [0:0]", f":KUBE-EXT-{name} - [0:0]"]
        rules.append(f'-A KUBE-SERVICES -d 192.168.0.{number}/32 -p tcp {comment} cluster IP" -m tcp --dport 80 ')
        rules[-1] += f"-j KUBE-SVC-{name}"
        rules.append(f'-A KUBE-NODEPORTS -p tcp {comment}" -m tcp --dport {3000 + number} -j KUBE-EXT-{name}')
        rules.append(f"-A KUBE-EXT-{name} -j KUBE-SVC-{name}")
        for place, end in enumerate(sorted(ends)):
            chance = f" -m statistic --mode random --probability {1 / (len(ends) - place):.11f}"
            chains.append(f":KUBE-SEP-{name}{_letters(end)} - [0:0]")
            rules.append(f'-A KUBE-SVC-{name} {comment} -> 172.7.21.{end}:8080"')
            rules[-1] += (chance if place < len(ends) - 1 else "") + f" -j KUBE-SEP-{name}{_letters(end)}"
            rules.append(f'-A KUBE-SEP-{name}{_letters(end)} -p tcp {comment}" -j DNAT ')
            rules[-1] += f"--to-destination 172.7.21.{end}:8080"
    return HEAD + "\n".join([*chains, *rules, "COMMIT", ""])


def _letters(number: int) -> str:
    return "".join(chr(ord("A") + int(digit)) for digit in f"{number:03}")


def shares(text: str, chain: str) -> list[float]:
    """The part of all packets that each endpoint of a chain gets."""
    got, left = [], 1.0
    for rule in iptables.parse(text).rules("nat", chain):
        if rule.target.startswith("KUBE-SEP-"):
            chance = re.search(r"--probability (\S+)", rule.text)
            got.append(left * float(chance[1]) if chance else left)
            left -= got[-1]
    return got


def test_a_node_s_rules_are_read_as_the_services_that_it_has() -> None:
    lines = found(RECORDED)
    assert len(lines) == 22
    nginx = "default/nginx-ds:http"
    assert Rule("iptables", tcp(NODE, 8000), tcp("172.7.22.7", 80), nginx, "nat KUBE-NODEPORTS") in lines
    assert Rule("iptables", tcp("192.168.235.104", 80), tcp("172.7.21.4", 80), nginx, "nat KUBE-SERVICES") in lines
    dns = Address("192.168.0.2", "udp", 53)
    assert {rule.backend for rule in lines if rule.frontend == dns} == {
        Address("172.7.21.2", "udp", 53),
        Address("172.7.22.2", "udp", 53),
    }


def test_what_the_network_plugin_translates_is_foreign() -> None:
    assert [(rule.frontend, rule.backend) for rule in found(RECORDED) if rule.foreign] == [
        (tcp(NODE, 81), tcp("172.7.22.3", 80))
    ]


def test_a_service_without_endpoints_is_refused_in_the_table_filter() -> None:
    text = "*filter\n:KUBE-SERVICES - [0:0]\n-A KUBE-SERVICES -d 192.168.9.9/32 -p tcp -m comment --comment "
    text += (
        '"default/none:http has no endpoints" -m tcp --dport 80 -j REJECT --reject-with icmp-port-unreachable\nCOMMIT\n'
    )
    (held,) = found(text)
    assert (held.frontend, held.backend, held.service) == (tcp("192.168.9.9", 80), None, "default/none:http")
    given = iptables.removal_input(iptables.parse(text), [held])
    assert given.startswith("*filter\n-D KUBE-SERVICES -d 192.168.9.9/32 ")
    assert given.endswith("-j REJECT --reject-with icmp-port-unreachable\nCOMMIT\n")


def test_another_programs_rule_in_a_chain_of_kube_proxy_is_foreign() -> None:
    rule = "-A KUBE-SERVICES -d 192.168.77.77/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 1.2.3.4:80\n"
    (held,) = [rule for rule in found(HEAD + rule + "COMMIT\n") if rule.frontend == tcp("192.168.77.77", 80)]
    assert held.foreign


def test_a_target_is_not_looked_for_in_a_comment() -> None:
    rule = iptables.SavedRule("nat", "X", 'X -m comment --comment "see -j KUBE-SVC-ABC" -j ACCEPT')
    assert rule.target == "ACCEPT"


def test_nothing_stale_nothing_to_do() -> None:
    assert iptables.removal_input(iptables.parse(RECORDED), ()) == ""


def test_a_shared_endpoint_is_removed_from_one_service_only() -> None:
    text = written({1: frozenset({5, 6}), 2: frozenset({5, 6})})
    stale = [rule for rule in found(text) if rule.service.startswith("default/s1:") and "21.5:" in str(rule.backend)]
    after = found(restored(text, iptables.removal_input(iptables.parse(text), stale)))
    assert after == found(text) - set(stale)
    assert len([rule for rule in after if rule.backend == tcp("172.7.21.5", 8080)]) == 2  # address and node port of s2


octets = st.integers(1, 250)
services = st.dictionaries(octets, st.frozensets(octets, min_size=1, max_size=5), min_size=1, max_size=5)


@given(services, st.data())
@settings(max_examples=50, deadline=None)
def test_only_stale_rules_are_removed(services: Services, data: st.DataObject) -> None:
    text = written(services)
    before = found(text)
    assert {rule.backend for rule in before if not rule.foreign} == {
        tcp(f"172.7.21.{end}", 8080) for ends in services.values() for end in ends
    }
    gone = data.draw(st.sets(st.sampled_from([(s, e) for s, ends in services.items() for e in ends])))
    stale = {rule for rule in before if not rule.foreign and _pair(rule) in gone}
    after = restored(text, iptables.removal_input(iptables.parse(text), stale))
    assert found(after) == before - stale
    _share_evenly(after, {s: ends - {e for of, e in gone if of == s} for s, ends in services.items()})


def _pair(rule: Rule) -> tuple[int, int]:
    number = re.search(r"/s(\d+):", rule.service)
    assert number
    assert rule.backend
    return int(number[1]), int(rule.backend.ip.rpartition(".")[2])


def _share_evenly(text: str, services: Mapping[int, Collection[int]]) -> None:
    for number, ends in services.items():
        got = shares(text, f"KUBE-SVC-A{_letters(number)}")
        assert len(got) == len(ends)
        assert all(abs(share - 1 / len(ends)) < 1e-6 for share in got)


@given(st.text())
@settings(max_examples=100)
def test_any_text_is_read_without_an_error(text: str) -> None:
    found(f"*nat\n-A KUBE-SERVICES {text}\nCOMMIT\n")
    found(text)
