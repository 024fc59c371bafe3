"""`nft -j list table ip kube-proxy` read as rules for Services, and the `nft -f` input that removes stale ones. Pure.

kube-proxy's table (pkg/proxy/nftables/proxier.go, Kubernetes 1.34): the maps service-ips and service-nodeports lead to
a chain of one Service port, its rule `numgen … vmap` to endpoint chains, each of which does the DNAT; the maps
no-endpoint-… refuse. Chains are named KIND-HASH-namespace/name/protocol/port, with __address/port for an endpoint.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kubeproxy.chains import ChainGraph
from kubeproxy.rules import NODE, Address, Rule

MAPS = ("service-ips", "service-nodeports", "no-endpoint-services", "no-endpoint-nodeports", "firewall-ips")
CHAIN = re.compile(r"(?:service|local|external|firewall|endpoint)-[A-Z2-7]{8}-(.*/.*)")
PORT = re.compile(r"([^/]+)/([^/]+)(?:/[^/]+/([^_]*))?.*")
CUT = "..."  # how a name that was too long ends


@dataclass(frozen=True)
class TableRule:
    """One rule: chains that it leads to, where it translates to, and whether it shares packets out among `targets`."""

    handle: int
    targets: tuple[str, ...] = ()
    backend: Address | None = None
    shares: bool = False


@dataclass(frozen=True)
class Table:
    """kube-proxy's table of one family (ip or ip6). maps: name -> (key, chain that it leads to or '')."""

    family: str = "ip"
    maps: Mapping[str, Sequence[tuple[Address, str]]] = field(default_factory=dict)
    addresses: Sequence[str] = ()
    chains: Mapping[str, Sequence[TableRule]] = field(default_factory=dict)


def parse(text: str, family: str = "ip") -> Table:
    """What nft printed as JSON; an empty table for nothing. Raises ValueError for what is no such document."""
    if not text.strip():
        return Table(family)
    maps: dict[str, list[tuple[Address, str]]] = {}
    chains: dict[str, list[TableRule]] = {}
    addresses: list[str] = []
    for entry in json.loads(text)["nftables"]:
        if "map" in entry and entry["map"]["name"] in MAPS:
            maps[entry["map"]["name"]] = [_element(each) for each in entry["map"].get("elem", [])]
        elif "set" in entry and entry["set"]["name"] == "cluster-ips":
            addresses = [str(each) for each in entry["set"].get("elem", [])]
        elif "chain" in entry:
            chains.setdefault(entry["chain"]["name"], [])
        elif "rule" in entry:
            chains.setdefault(entry["rule"]["chain"], []).append(_rule(entry["rule"]))
    return Table(family, maps, addresses, chains)


def rules(table: Table) -> Iterator[Rule]:
    """Everything that is held for Services, each once, then chains that nothing leads to."""
    graph = _graph(table)
    found: dict[Rule, None] = {}
    for name in MAPS:
        for frontend, target in table.maps.get(name, ()):
            found.update(dict.fromkeys(_of(graph, name, frontend, target)))
    for chain in graph.unreached(_entrances(table)):
        found[Rule("nftables", None, graph.backend(chain), _service(chain), chain)] = None
    return iter(found)


def removal_input(table: Table, stale: Collection[Rule]) -> str:
    """Input for `nft -f` that removes the stale rules alone; '' when there is nothing to do."""
    where = f"{table.family} kube-proxy"
    graph = _graph(table)
    every = [(name, frontend, target) for name in MAPS for frontend, target in table.maps.get(name, ())]
    gone = {each: None for each in every if all(rule in stale for rule in _of(graph, *each))}
    kept = [each for each in every if each not in gone]
    cut = graph.stale_jumps([(frontend, target) for _, frontend, target in kept], stale)
    replaced = [
        f"replace rule {where} {chain} handle {rule.handle} {_sharing(left)}"
        for chain in dict.fromkeys(chain for chain, _ in cut)
        for rule in table.chains[chain]
        if rule.shares and (left := [target for target in rule.targets if (chain, target) not in cut])
    ]
    replaced += [  # a client that is kept at its endpoint by sessionAffinity
        f"delete rule {where} {chain} handle {rule.handle}"
        for chain in dict.fromkeys(chain for chain, _ in cut)
        for rule in table.chains[chain]
        if not rule.shares and any((chain, target) in cut for target in rule.targets)
    ]
    dropped = list(graph.unreached([target for _, _, target in kept], cut))
    addresses = {frontend.ip for _, frontend, _ in kept}
    idle = {frontend.ip for _, frontend, _ in gone if frontend.ip not in addresses} & set(table.addresses)
    commands = [
        *(f"delete element {where} {name} {{ {_key(frontend)} }}" for name, frontend, _ in gone),
        *(f"delete element {where} cluster-ips {{ {ip} }}" for ip in sorted(idle)),
        *replaced,
        *(f"flush chain {where} {chain}" for chain in dropped),
        *(f"delete chain {where} {chain}" for chain in dropped),
    ]
    return "".join(f"{command}\n" for command in commands)


def _element(element: Any) -> tuple[Address, str]:
    key, verdict = element
    if isinstance(key, Mapping) and "elem" in key:  # with a comment
        key = key["elem"]["val"]
    *ip, protocol, port = key["concat"]
    return Address(str(ip[0]) if ip else NODE, str(protocol), int(port)), _chain(verdict)


def _chain(verdict: Any) -> str:
    """The chain that a verdict goes or jumps to; '' for another."""
    found = verdict.get("goto") or verdict.get("jump") if isinstance(verdict, Mapping) else None
    return str(found["target"]) if found else ""


def _rule(rule: Mapping[str, Any]) -> TableRule:
    targets: list[str] = []
    backend, shares, protocol = None, False, ""
    for part in rule.get("expr", ()):
        match = part.get("match", {})
        if match.get("left") == {"meta": {"key": "l4proto"}}:
            protocol = str(match["right"])
        if "vmap" in part and isinstance(part["vmap"].get("data"), Mapping):
            shares = "numgen" in part["vmap"]["key"]
            targets += [_chain(verdict) for _, verdict in part["vmap"]["data"].get("set", ())]
        if "dnat" in part:
            backend = Address(str(part["dnat"]["addr"]), protocol, int(part["dnat"].get("port", 0)))
        if target := _chain(part):
            targets.append(target)
    return TableRule(rule["handle"], tuple(filter(CHAIN.fullmatch, targets)), backend, shares)


def _graph(table: Table) -> ChainGraph:
    chains = {name: held for name, held in table.chains.items() if CHAIN.fullmatch(name)}
    return ChainGraph(
        jumps={name: [target for rule in held for target in rule.targets] for name, held in chains.items()},
        backends={name: [rule.backend for rule in held if rule.backend] for name, held in chains.items()},
    )


def _of(graph: ChainGraph, name: str, frontend: Address, target: str) -> list[Rule]:
    """What one element of the map `name` stands for."""
    backends: list[Address | None] = [*graph.backends_below(target)]
    return [Rule("nftables", frontend, backend, _service(target), name) for backend in backends or [None]]


def _entrances(table: Table) -> list[str]:
    return [target for name in MAPS for _, target in table.maps.get(name, ()) if target]


def _service(chain: str) -> str:
    """namespace/name:port, out of a chain's name; '' for another, and for one that is cut before them."""
    named = CHAIN.fullmatch(chain)
    found = PORT.fullmatch(named[1]) if named else None
    if not named or not found or (named[1].endswith(CUT) and not found[3]):
        return ""
    return f"{found[1]}/{found[2]}" + (f":{found[3]}" if found[3] else "")


def _sharing(targets: Sequence[str]) -> str:
    shares = ", ".join(f"{number} : goto {target}" for number, target in enumerate(targets))
    return f"numgen random mod {len(targets)} vmap {{ {shares} }}"


def _key(frontend: Address) -> str:
    ip = [] if frontend.ip == NODE else [frontend.ip]
    return " . ".join([*ip, frontend.protocol, str(frontend.port)])
