"""`proxy.rules` and `proxy.clean`: what each node's kernel holds for Services, against what the API knows."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from hdss7.options import Options
from hdss7.project import open_project
from hdss7.report import text
from kubeproxy.classify import classify
from kubeproxy.cluster import Cluster
from kubeproxy.kernel import removal_step
from kubeproxy.node import Node, api, side_by_side
from kubeproxy.rules import ClassifiedRule, State
from provision.errors import Exit, Explanation, InputError, worst
from provision.project import Project, Selection
from provision.resources import ProxyMode
from provision.resources.kubernetes.proxy_rules import SAVED
from provision.spelling import listed
from provision.usage import usage

ORDER: tuple[State, ...] = ("known", "draining", "stale", "foreign")
ByNode = Mapping[str, tuple[ClassifiedRule, ...]]  # host -> what it holds


@dataclass(frozen=True)
class Inspection:
    """The nodes within the limit, and what the API knows."""

    nodes: Sequence[Node]
    cluster: Cluster

    def classified(self) -> ByNode:
        """What the nodes held when they were last asked, classified."""
        usable = [node for node in self.nodes if node.failure is None]
        return {n.name: classify(n.state.rules(n.mode), self.cluster, n.mode, n.state.own) for n in usable}


def rules(options: Options) -> int:
    """Every rule of every node, and whether the API knows it."""
    with _inspected(options) as inspection:
        found = inspection.classified()
        _say([*_table(found), *_remarks(inspection.nodes)], options)
        _say([f"proxy.rules: {_counted(found, inspection.nodes)}"], options)
        return _end(inspection.nodes, found, {}, Exit.OK, options)


def clean(options: Options) -> int:
    """Show the stale rules of every node, remove them alone, and look again. With --check only show them."""
    with _inspected(options) as inspection:
        found = inspection.classified()
        stale = _only(found, "stale")
        _say([*_table(stale), f"proxy.clean: {_counted(found, inspection.nodes)}"], options)
        if not stale or options.check:
            return _end(inspection.nodes, found, stale, Exit.DIFFERENCES if stale else Exit.OK, options)
        busy = [node for node in inspection.nodes if node.name in stale]
        side_by_side(busy, lambda node: _remove(node, stale[node.name], options.wait), options.forks)
        left = _only(inspection.classified(), "stale")
        for node in busy:
            if node.failure is None and node.name in left:
                node.error = _still_there(node, left[node.name])
        done = {node.name: stale[node.name] for node in busy if node.error is None}
        if done:
            _say([f"removed {_number(done)}; the rules before are in {SAVED} there"], options)
        return _end(inspection.nodes, inspection.classified(), done, Exit.OK, options)


@contextmanager
def _inspected(options: Options) -> Iterator[Inspection]:
    """The nodes first and the API after them: what was made in between is known, and never taken for stale."""
    site = open_project(options)
    selection = options.selection()
    nodes = _nodes(site.project, selection)
    from roles._cluster import KUBECTL  # see _masters

    site.check_up()
    masters = _masters(site.project, selection, nodes)
    try:
        side_by_side(nodes, Node.look, options.forks)
        yield Inspection(nodes, api(masters, KUBECTL) if any(n.failure is None for n in nodes) else Cluster())
    finally:
        for node in {id(node): node for node in (*nodes, *masters)}.values():
            node.close()


def _nodes(project: Project, selection: Selection) -> list[Node]:
    """The hosts within the limit that run kube-proxy. Raises InputError when there is none."""
    nodes = []
    for host in project.hosts(selection.limit):
        resources = (declaration.resource for declaration in project.declared(host.name))
        proxy = next((resource for resource in resources if isinstance(resource, ProxyMode)), None)
        if proxy:
            nodes.append(Node(project.login(host, selection), proxy))
    if not nodes:
        raise InputError("no host within the limit runs kube-proxy", do="Widen --limit: --limit nodes")
    return nodes


def _masters(project: Project, selection: Selection, nodes: Sequence[Node]) -> list[Node]:
    """The hosts that can ask the API, in inventory order; one that is a node too is asked over the same connection."""
    known = {node.name: node for node in nodes}
    from roles._cluster import members  # importable once a project is open, for it may be the project's own

    every = members(project.inventory.hosts[0], "masters")
    return [known.get(host.name) or Node(project.login(host, selection)) for host in every]


def _remove(node: Node, stale: Sequence[ClassifiedRule], wait: int) -> None:
    assert node.proxy
    node.change(removal_step(node.proxy, node.state, [each.rule for each in stale], node.mode), wait)
    node.look()


def _still_there(node: Node, left: Sequence[ClassifiedRule]) -> Explanation:
    return Explanation(
        "stale rules were removed, and are there again",
        host=node.name,
        found=listed((f"{each.rule.frontend or each.rule.source}: {each.why}" for each in left), 4),
        do=f"Something on the node writes them: look which kube-proxy runs there ({usage('verify -k kube_proxy')})",
    )


def _only(found: ByNode, state: State) -> dict[str, tuple[ClassifiedRule, ...]]:
    """What is of one state; hosts that have nothing of it are left out."""
    every = {name: tuple(each for each in rules if each.state == state) for name, rules in found.items()}
    return {name: rules for name, rules in every.items() if rules}


def _table(found: ByNode) -> list[str]:
    """A row for each rule; what several nodes hold alike is one row."""
    hosts: dict[ClassifiedRule, list[str]] = {}
    for name, rules in found.items():
        for each in rules:
            hosts.setdefault(each, []).append(name)
    if not hosts:
        return []
    rows = [("nodes", "mode", "asked", "leads to", "service", "state", "")]
    for each in sorted(hosts, key=lambda each: (ORDER.index(each.state), each.service, str(each.rule.frontend))):
        rule = each.rule
        weight = "" if rule.weight is None else f" weight {rule.weight}"
        to = rule.backend.bare + weight if rule.backend else "refused" if rule.frontend else "-"
        asked = str(rule.frontend) if rule.frontend else rule.source
        rows.append((listed(hosts[each], 4), rule.mode, asked, to, each.service or "-", each.state, each.why))
    return text.columns(rows)


def _remarks(nodes: Sequence[Node]) -> list[str]:
    """Nodes without a kube-proxy, and nodes with several."""
    usable = [node for node in nodes if node.failure is None]
    idle = [node.name for node in usable if not node.state.modes]
    lines = [f"{listed(idle)}: no kube-proxy runs there: rules stay as they are"] if idle else []
    for node in usable:
        if len(node.state.modes) > 1:
            lines.append(
                f"{node.name}: kube-proxies of the modes {listed(node.state.modes)} run there, against each other"
            )
    return lines


def _counted(found: ByNode, nodes: Sequence[Node]) -> str:
    """`42 rules on 2 nodes: 40 known, 2 foreign; 1 node could not be asked`."""
    counts = Counter(each.state for rules in found.values() for each in rules)
    states = ", ".join(f"{counts[state]} {state}" for state in ORDER if counts[state])
    silent = sum(1 for node in nodes if node.failure)
    parts = [_number(found) + (f": {states}" if states else "")] if found or not silent else []
    return "; ".join([*parts, *([f"{text.number(silent, 'node')} could not be asked"] if silent else [])])


def _number(found: ByNode) -> str:
    return f"{text.number(sum(map(len, found.values())), 'rule')} on {text.number(len(found), 'node')}"


def _say(lines: Sequence[str], options: Options) -> None:
    for line in lines:
        print(line, file=sys.stderr if options.json else sys.stdout)
    sys.stdout.flush()


def _end(nodes: Sequence[Node], found: ByNode, changes: ByNode, otherwise: Exit, options: Options) -> int:
    """Says why nodes failed, prints the object of --json, and returns the exit code."""
    failed = [node.failure.exit if node.failure else Exit.FAILED for node in nodes if node.error]
    code = worst([*failed, otherwise])
    for paragraph in text.paragraphs(node.error for node in nodes if node.error):
        print(paragraph, file=sys.stderr)
    if options.json:
        from hdss7.report.json import encode

        described = {n.name: _described(n, found.get(n.name, ()), changes.get(n.name, ()), options) for n in nodes}
        print(encode(described, None, code))
    return code


def _described(
    node: Node, found: Sequence[ClassifiedRule], changes: Sequence[ClassifiedRule], options: Options
) -> dict[str, Any]:
    unreachable = node.failure is not None and node.failure.exit is Exit.UNREACHABLE
    changed = ("would_change" if options.check else "changed") if changes else "ok"
    return {
        "status": "unreachable" if unreachable else "failed" if node.error else changed,
        "changes": [_change(node, each) for each in changes],
        "after": [],
        "error": node.error.as_dict() if node.error else None,
        "connections": node.connections,
        "execs": node.execs,
        "seconds": round(time.monotonic() - node.began, 3),
        "mode": node.mode,
        "rules": [_rule(each) for each in found],
    }


def _change(node: Node, each: ClassifiedRule) -> dict[str, str]:
    what = f"{each.rule.frontend or each.rule.source}"
    return {"resource": f"{each.rule.mode} {what}", "role": "kube_proxy", "summary": f"remove: {each.why}", "diff": ""}


def _rule(each: ClassifiedRule) -> dict[str, Any]:
    rule = each.rule
    return {
        "mode": rule.mode,
        "asked": str(rule.frontend) if rule.frontend else None,
        "to": rule.backend.bare if rule.backend else None,
        "service": each.service,
        "at": rule.source,
        "weight": rule.weight,
        "state": each.state,
        "why": each.why,
    }
