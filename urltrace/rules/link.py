"""The way from the edge to a node's port: what answers on the node itself and not from the edge."""

from __future__ import annotations

import re
from collections.abc import Iterator

from urltrace.evidence import Answer, Host
from urltrace.exchange import Exchange
from urltrace.finding import Cleared, Finding, Proof, proof, proof_of
from urltrace.netfilter import stopping
from urltrace.view import View

CUT = ("refused", "no connection", "unreachable")


def forwarding_off(view: View) -> Iterator[Finding]:
    """The node's kernel forwards nothing, so that nothing reaches its pods."""
    for node in view.site.nodes:
        answer = view.evidence.answer("sysctl", node.name)
        if answer and re.search(r"ip_forward\s*=\s*0", answer.output):
            yield Finding(
                hop="link",
                cause="forwarding-off",
                where=f"net.ipv4.ip_forward on {node.name}",
                sentence=f"the kernel of {node.name} forwards no packets: nothing from outside reaches its pods",
                do=f"On {node.name}: sysctl -w net.ipv4.ip_forward=1, and the same in /etc/sysctl.d",
                proof=proof(answer, _line(answer, "ip_forward")),
            )


def firewall(view: View) -> Iterator[Finding]:
    """A rule of a firewall stops the edge's connections to a node."""
    for edge, node, found in _broken(view):
        for host, chain, address, port in _chains(view, edge, node):
            answer = view.evidence.answer("filter", host.name)
            rule = answer and stopping(answer.output, chain, source=edge.address, destination=address, port=port)
            if answer and rule:
                yield Finding(
                    hop="link",
                    cause="link-reject" if found.outcome == "refused" else "link-drop",
                    where=f"the firewall of {host.name}",
                    sentence=f"the firewall of {host.name} stops {edge.name} from reaching {view.node_target(node)} "
                    f"on {node.name}: {_bare(rule)}",
                    do=_undo(host, rule),
                    proof=(*proof_of(found), *proof(answer, rule)),
                )
                break


def own_reject(view: View) -> Iterator[Finding]:
    """The edge rejects its own packets: it sends itself the error, whatever program keeps the rule."""
    known = {finding.where for finding in firewall(view)}
    for edge, node, found in _broken(view):
        answer = view.evidence.answer("icmp", edge.name)
        line = _line(answer, f"{view.node_target(node)} ") if answer else ""
        counts = [int(word) for word in line.split()[1:] if word.isdigit()]
        if len(counts) == 4 and counts[3] > counts[1] and f"the firewall of {edge.name}" not in known:
            yield Finding(
                hop="link",
                cause="link-reject",
                where=f"the firewall of {edge.name}",
                sentence=f"a firewall rule of {edge.name} itself rejects what it sends to {view.node_target(node)} on "
                f"{node.name}: the packets never leave it",
                do=f"Look for the rule on {edge.name}: nft list ruleset; iptables-save | grep REJECT",
                proof=(*proof_of(found), *proof(answer, f"ICMP errors got and sent, twice: {line}")),
            )


def _chains(view: View, edge: Host, node: Host) -> Iterator[tuple[Host, str, str, int]]:
    """Where such a connection passes: the edge's OUTPUT; on the node INPUT or, when it is led to a pod, FORWARD."""
    yield edge, "OUTPUT", node.address, view.site.traefik_port
    pod = view.traefik_pod(node)
    ports = [held.container_port for one in pod.spec.containers for held in one.ports if held.host_port] if pod else []
    if pod and ports and not pod.spec.host_network:
        yield node, "FORWARD", pod.status.pod_ip, ports[0]
    yield node, "INPUT", node.address, view.site.traefik_port


def large_packets(view: View) -> Iterator[Finding]:
    """Small requests pass and large ones hang."""
    for node in view.site.nodes:
        for edge in view.site.edges:
            small = view.exchange("node", view.node_target(node), edge.name)
            large = view.exchange("large", view.node_target(node), edge.name)
            if small and large and small.outcome == "answered" and large.outcome == "silent":
                answer = view.evidence.answer("filter", node.name)
                rule = _line(answer, "--length") if answer else ""
                ping = f"Find the smallest MTU: ping -M do -s 1472 {node.address} on {edge.name}; then set it on both"
                yield Finding(
                    hop="link",
                    cause="large-packets",
                    where=f"the way from {edge.name} to {node.name}",
                    sentence=f"large packets from {edge.name} to {node.name} are lost: a small request is answered, "
                    f"one of 1,400 bytes more is not{f' ({_bare(rule)})' if rule else ''}",
                    do=_undo(node, rule) if rule else ping,
                    proof=(*proof_of(small), *proof_of(large)),
                )


def unexplained(view: View) -> Iterator[Finding]:
    """The node answers itself and not the edge, and no rule says why."""
    explained = {finding.where for rule in (forwarding_off, firewall, own_reject) for finding in rule(view)}
    for edge, node, found in _broken(view):
        if any(place.endswith((edge.name, node.name)) for place in explained):
            continue
        words = {"refused": "refused", "unreachable": "not routed"}.get(found.outcome, "not answered")
        yield Finding(
            hop="link",
            cause=f"link-{'refused' if words == 'refused' else 'lost'}",
            where=f"between {edge.name} and {node.name}",
            sentence=f"connections from {edge.name} to {view.node_target(node)} are {words}, and "
            f"{_reaching(view, node)} an answer there",
            do=f"Look at both: ip route get {node.address} on {edge.name}, ip route get {edge.address} on {node.name}; "
            f"tcpdump -n host {edge.address} and port {view.site.traefik_port} on {node.name}",
            proof=_both(view, found, node),
        )


def cleared(view: View) -> Cleared | None:
    """Every edge gets an answer from every node that answers itself."""
    pairs = [found for node in view.site.nodes for found in view.from_edges(node)]
    if pairs and all(found.outcome == "answered" for found in pairs):
        return Cleared("link", f"every edge gets an answer from {', '.join(node.name for node in view.site.nodes)}")
    return None


def _broken(view: View) -> Iterator[tuple[Host, Host, Exchange]]:
    """Edges and nodes that do not come together, although the node answers itself."""
    for node in view.site.nodes:
        own = view.on_node(node)
        for edge in view.site.edges:
            found = view.exchange("node", view.node_target(node), edge.name)
            if found and found.outcome in CUT and own and own.outcome == "answered":
                yield edge, node, found


def _both(view: View, found: Exchange, node: Host) -> tuple[Proof, ...]:
    own = view.on_node(node)
    return (*proof_of(found), *proof_of(own))


def _reaching(view: View, node: Host) -> str:
    """Who gets an answer from a node's port, itself first, and the verb that goes with so many."""
    others = [one for one in view.site.nodes if one != node]
    found = [one for one in others if (got := view.exchange("node", view.node_target(node), one.name)) and got.status]
    return " and ".join((f"{node.name} itself", *(one.name for one in found))) + (" get" if found else " gets")


def _bare(rule: str) -> str:
    return re.sub(r"^\[\d+:\d+\] ", "", rule)


def _undo(host: Host, rule: str) -> str:
    bare = _bare(rule)
    if bare.startswith(":"):
        return f"On {host.name}: iptables -P {bare[1:].split()[0]} ACCEPT, or a rule that accepts the edges"
    return f"On {host.name}: iptables {bare.replace('-A ', '-D ', 1)}"


def _line(answer: Answer, part: str) -> str:
    return next((line.strip() for line in answer.output.splitlines() if part in line), "")


RULES = (forwarding_off, firewall, own_reject, large_packets, unexplained)
