"""`nft -j list table ip kube-proxy` read as lines, and the `nft -f` input that removes stale ones. Pure.

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

from kubeproxy.rules import NODE, Address, Line

MAPS = ("service-ips", "service-nodeports", "no-endpoint-services", "no-endpoint-nodeports", "firewall-ips")
CHAIN = re.compile(r"(?:service|local|external|firewall|endpoint)-[A-Z2-7]{8}-(.*/.*)")
PORT = re.compile(r"([^/]+)/([^/]+)(?:/[^/]+/([^_]*))?.*")
CUT = "..."  # how a name that was too long ends

Jump = tuple[str, str]  # from a chain, to a chain


@dataclass(frozen=True)
class Rule:
    """One rule: chains that it leads to, where it translates to, and whether it shares packets out among `targets`."""

    handle: int
    targets: tuple[str, ...] = ()
    to: Address | None = None
    shares: bool = False


@dataclass(frozen=True)
class Table:
    """kube-proxy's table of one family (ip or ip6). maps: name -> (key, chain that it leads to or '')."""

    family: str = "ip"
    maps: Mapping[str, Sequence[tuple[Address, str]]] = field(default_factory=dict)
    addresses: Sequence[str] = ()
    chains: Mapping[str, Sequence[Rule]] = field(default_factory=dict)


def parse(text: str, family: str = "ip") -> Table:
    """What nft printed as JSON; an empty table for nothing. Raises ValueError for what is no such document."""
    if not text.strip():
        return Table(family)
    maps: dict[str, list[tuple[Address, str]]] = {}
    chains: dict[str, list[Rule]] = {}
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


def lines(table: Table) -> Iterator[Line]:
    """Everything that is held for Services, each once, then chains that nothing leads to."""
    found: dict[Line, None] = {}
    for name in MAPS:
        for asked, target in table.maps.get(name, ()):
            found.update(dict.fromkeys(_of(table, name, asked, target)))
    for chain in _unreached(table, _entrances(table)):
        found[Line("nftables", None, _end(table, chain), _service(chain), chain)] = None
    return iter(found)


def cleaning(table: Table, stale: Collection[Line]) -> str:
    """Input for `nft -f` that removes the stale lines alone; '' when there is nothing to do."""
    where = f"{table.family} kube-proxy"
    every = [(name, asked, target) for name in MAPS for asked, target in table.maps.get(name, ())]
    gone = {each: None for each in every if all(line in stale for line in _of(table, *each))}
    kept = [each for each in every if each not in gone]
    cut = _cut(table, kept, stale)
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
    dropped = list(_unreached(table, [target for _, _, target in kept], cut))
    addresses = {asked.ip for _, asked, _ in kept}
    idle = {asked.ip for _, asked, _ in gone if asked.ip not in addresses} & set(table.addresses)
    commands = [
        *(f"delete element {where} {name} {{ {_key(asked)} }}" for name, asked, _ in gone),
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


def _rule(rule: Mapping[str, Any]) -> Rule:
    targets: list[str] = []
    to, shares, protocol = None, False, ""
    for part in rule.get("expr", ()):
        match = part.get("match", {})
        if match.get("left") == {"meta": {"key": "l4proto"}}:
            protocol = str(match["right"])
        if "vmap" in part and isinstance(part["vmap"].get("data"), Mapping):
            shares = "numgen" in part["vmap"]["key"]
            targets += [_chain(verdict) for _, verdict in part["vmap"]["data"].get("set", ())]
        if "dnat" in part:
            to = Address(str(part["dnat"]["addr"]), protocol, int(part["dnat"].get("port", 0)))
        if target := _chain(part):
            targets.append(target)
    return Rule(rule["handle"], tuple(filter(CHAIN.fullmatch, targets)), to, shares)


def _of(table: Table, name: str, asked: Address, target: str) -> list[Line]:
    ends = dict.fromkeys(to for chain in _below(table, target) if (to := _end(table, chain)))
    return [Line("nftables", asked, to, _service(target), name) for to in ends or [None]]


def _end(table: Table, chain: str) -> Address | None:
    return next((rule.to for rule in table.chains.get(chain, ()) if rule.to), None)


def _below(table: Table, chain: str, cut: Collection[Jump] = ()) -> list[str]:
    """The chain and all of Service ports and endpoints that it leads to, but for the jumps in `cut`."""
    found = [chain]
    for each in found:
        for rule in table.chains.get(each, ()):
            found += [t for t in dict.fromkeys(rule.targets) if (each, t) not in cut and t not in found]
    return found


def _cut(table: Table, kept: Collection[tuple[str, Address, str]], stale: Collection[Line]) -> list[Jump]:
    """The jumps to stale endpoints below the elements that stay."""
    pairs = {(line.asked, line.to) for line in stale if line.asked and line.to}
    return list(
        dict.fromkeys(
            (chain, target)
            for _, asked, first in kept
            for chain in _below(table, first)
            for rule in table.chains.get(chain, ())
            for target in rule.targets
            if (asked, _end(table, target)) in pairs
        )
    )


def _entrances(table: Table) -> list[str]:
    return [target for name in MAPS for _, target in table.maps.get(name, ()) if target]


def _unreached(table: Table, targets: Collection[str], cut: Collection[Jump] = ()) -> Iterator[str]:
    """Chains of Service ports and endpoints that no element leads to, once the jumps in `cut` are gone."""
    reached = {chain for target in dict.fromkeys(targets) for chain in _below(table, target, cut)}
    return (chain for chain in table.chains if CHAIN.fullmatch(chain) and chain not in reached)


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


def _key(asked: Address) -> str:
    ip = [] if asked.ip == NODE else [asked.ip]
    return " . ".join([*ip, asked.protocol, str(asked.port)])
