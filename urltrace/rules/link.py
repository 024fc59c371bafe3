"""The way from the edge to a node's port: what answers on the node itself and not from the edge."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from urltrace import nftables
from urltrace.evidence import Answer, Host
from urltrace.exchange import Exchange
from urltrace.finding import Cleared, Finding, Proof, proof, proof_of
from urltrace.netfilter import stopping
from urltrace.rules import reverse_path
from urltrace.view import View

QUICK = 0.6  # seconds
NO_PORT = -1  # of what goes back: no rule about the port of a server is about it
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
        for passed in _chains(view, edge, node):
            answer = view.evidence.answer(f"filter {passed.table}".strip(), passed.host.name)
            rule = answer and stopping(
                answer.output,
                passed.chain,
                source=passed.source,
                destination=passed.destination,
                port=passed.port,
            )
            if answer and rule:
                what = (
                    f"sends nothing of {node.name} back to {edge.name}"
                    if passed.back
                    else f"stops {edge.name} from reaching {view.node_target(node)} on {node.name}"
                )
                yield Finding(
                    hop="link",
                    cause="link-reject" if found.outcome == "refused" else "link-drop",
                    where=f"the firewall of {passed.host.name}",
                    sentence=f"the firewall of {passed.host.name} {what}: {_bare(rule)}",
                    do=_undo(passed.host, rule, passed.table),
                    proof=(*proof_of(found), *proof(answer, rule)),
                )
                break


def own_reject(view: View) -> Iterator[Finding]:
    """The edge rejects its own packets: it sends itself the error, whatever program keeps the rule."""
    known = {finding.where for rule in (firewall, in_nftables) for finding in rule(view)}
    for edge, node, found in _cut(view):  # its own counters prove it, whatever else is wrong with the node
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


def in_nftables(view: View) -> Iterator[Finding]:
    """A rule of nftables that iptables does not show."""
    port = view.site.traefik_port
    for edge, node, found in _broken(view):
        for host in (edge, node):
            answer = view.evidence.answer("nft", host.name)
            said = answer.output if answer else ""
            rule = nftables.stopping(said, source=edge.address, destination=node.address, port=port)
            if rule:
                yield Finding(
                    hop="link",
                    cause="link-reject" if found.outcome == "refused" else "link-drop",
                    where=f"the firewall of {host.name}",
                    sentence=f"the firewall of {host.name} stops {edge.name} from reaching {view.node_target(node)} on "
                    f"{node.name}: {rule}",
                    do=f"On {host.name}: nft -a list {rule.partition(':')[0]}; then nft delete rule … handle NUMBER",
                    proof=(*proof_of(found), *proof(answer, rule)),
                )


@dataclass(frozen=True)
class Passed:
    """A chain that a connection passes. back: with what the node answers."""

    host: Host
    table: str
    chain: str
    source: str
    destination: str
    port: int
    back: bool = False


def _chains(view: View, edge: Host, node: Host) -> Iterator[Passed]:
    """The edge's OUTPUT; on the node PREROUTING, then INPUT or, when it is led to a pod, FORWARD; and the way back."""
    there, port = (edge.address, node.address), view.site.traefik_port
    for table in ("raw", "mangle", ""):
        yield Passed(edge, table, "OUTPUT", *there, port)
    for table in ("raw", "mangle"):
        yield Passed(node, table, "PREROUTING", *there, port)
    pod = view.traefik_pod(node)
    ports = [held.container_port for one in pod.spec.containers for held in one.ports if held.host_port] if pod else []
    if pod and ports and not pod.spec.host_network:
        ip = pod.status.pod_ip
        yield Passed(node, "", "FORWARD", edge.address, ip, ports[0])
        yield Passed(node, "", "FORWARD", ip, edge.address, NO_PORT, back=True)
    yield Passed(node, "", "INPUT", *there, port)
    yield Passed(edge, "", "INPUT", node.address, edge.address, NO_PORT, back=True)


def routed_elsewhere(view: View) -> Iterator[Finding]:
    """One of the two has a route to the other that leads elsewhere, and the way back is direct."""
    for edge, node, found in _broken(view):
        ways = ((edge, node), (node, edge))
        answers = [view.evidence.answer(f"route {there.address}", here.name) for here, there in ways]
        for (here, there), answer, other in zip(ways, answers, reversed(answers), strict=True):
            line = _line(answer, there.address) if answer else ""
            direct = other is not None and other.code == 0 and " via " not in other.output
            wrong = answer is not None and (answer.code != 0 or " via " in line or line.startswith("blackhole"))
            if answer and wrong and direct:
                said = line or answer.errors.strip() or "no route"
                yield Finding(
                    hop="link",
                    cause="link-route",
                    where=f"the route of {here.name} to {there.name}",
                    sentence=f"{here.name} has a wrong route to {there.name} ({there.address}): {said}",
                    do=f"On {here.name}: ip route show match {there.address}; then ip route del {there.address}",
                    proof=(*proof_of(found), *proof(answer, said)),
                )


def written_neighbour(view: View) -> Iterator[Finding]:
    """Somebody wrote down a hardware address for the node, or none answers for it."""
    for edge, node, found in _broken(view):
        answer = view.evidence.answer("neighbours", edge.name)
        line = _line(answer, f"{node.address} ") if answer else ""
        if answer and line.endswith("PERMANENT"):
            yield Finding(
                hop="link",
                cause="link-neighbour",
                where=f"the neighbours of {edge.name}",
                sentence=f"connections from {edge.name} to {view.node_target(node)} go to a hardware address that was "
                f"written down by hand: {line}",
                do=f"On {edge.name}: ip neigh del {node.address} dev {line.split(' dev ')[-1].split()[0]}",
                proof=(*proof_of(found), *proof(answer, line)),
            )


def large_packets(view: View) -> Iterator[Finding]:
    """Small requests pass and large ones hang."""
    for node in view.site.nodes:
        for edge in view.site.edges if not view.lost_behind else ():
            small = view.exchange("node", view.node_target(node), edge.name)
            large = view.exchange("large", view.node_target(node), edge.name)
            if small and large and small.outcome == "answered" and large.outcome == "silent" and _quick(small):
                found = [
                    (table, line)
                    for table in ("raw", "mangle", "")
                    if (answer := view.evidence.answer(f"filter {table}".strip(), node.name))
                    and (line := _line(answer, "--length"))
                ]
                table, rule = found[0] if found else ("", "")
                ping = f"Find the smallest MTU: ping -M do -s 1472 {node.address} on {edge.name}; then set it on both"
                yield Finding(
                    hop="link",
                    cause="large-packets",
                    where=f"the way from {edge.name} to {node.name}",
                    sentence=f"large packets from {edge.name} to {node.name} are lost: a small request is answered, "
                    f"one of 1,400 bytes more is not{f' ({_bare(rule)})' if rule else ''}",
                    do=_undo(node, rule, table) if rule else ping,
                    proof=(*proof_of(small), *proof_of(large)),
                )


def large_answers(view: View) -> Iterator[Finding]:
    """The node answers itself at once, and an edge connects and gets nothing: what comes back is lost."""
    for node in view.site.nodes:
        own = view.on_node(node)
        for edge in view.site.edges if not view.lost_behind else ():
            found = view.exchange("node", view.node_target(node), edge.name)
            lost = found is not None and (found.outcome == "silent" or found.cut)
            if found and lost and own and own.outcome == "answered" and _quick(own) and not own.cut:
                yield Finding(
                    hop="link",
                    cause="large-packets",
                    where=f"the way from {node.name} to {edge.name}",
                    sentence=f"{edge.name} connects to {view.node_target(node)} and gets no whole answer, and "
                    f"{node.name} itself gets one at once: large packets between them are lost",
                    do=f"Find the largest that passes: ping -M do -s 1472 {node.address} on {edge.name}; "
                    "look for a rule on both: nft list ruleset",
                    proof=_both(view, found, node),
                )


def _quick(found: Exchange) -> bool:
    """Whether an answer comes so fast that a large request, which waits shorter, would have had it as well."""
    return found.first < QUICK


def unexplained(view: View) -> Iterator[Finding]:
    """The node answers itself and not the edge, and no rule says why."""
    explained = {finding.where for rule in EXPLAINING for finding in rule(view)}
    for edge, node, found in _broken(view):
        if any(edge.name in place or node.name in place for place in explained):
            continue
        words = {"refused": "refused", "unreachable": "not routed"}.get(found.outcome, "not answered")
        yield Finding(
            hop="link",
            cause=f"link-{'refused' if words == 'refused' else 'lost'}",
            where=f"between {edge.name} and {node.name}",
            sentence=f"connections from {edge.name} to {view.node_target(node)} are {words}, and "
            f"{node.name} itself gets an answer there",
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
    for edge, node, found in _cut(view):
        own = view.on_node(node)
        if own and own.outcome == "answered":
            yield edge, node, found


def _cut(view: View) -> Iterator[tuple[Host, Host, Exchange]]:
    """Edges and nodes that do not come together in another way than the node and itself."""
    for node in view.site.nodes:
        own = view.on_node(node)
        for edge in view.site.edges:
            found = view.exchange("node", view.node_target(node), edge.name)
            if found and found.outcome in CUT and own and own.outcome != found.outcome:
                yield edge, node, found


def _both(view: View, found: Exchange, node: Host) -> tuple[Proof, ...]:
    own = view.on_node(node)
    return (*proof_of(found), *proof_of(own))


def _bare(rule: str) -> str:
    return re.sub(r"^\[\d+:\d+\] ", "", rule)


def _undo(host: Host, rule: str, table: str = "") -> str:
    bare = _bare(rule)
    if bare.startswith(":"):
        return f"On {host.name}: iptables -P {bare[1:].split()[0]} ACCEPT, or a rule that accepts the edges"
    return f"On {host.name}: iptables {f'-t {table} ' if table else ''}{bare.replace('-A ', '-D ', 1)}"


def _line(answer: Answer, part: str) -> str:
    return next((line.strip() for line in answer.output.splitlines() if part in line), "")


EXPLAINING = (
    forwarding_off,
    firewall,
    in_nftables,
    own_reject,
    reverse_path.from_edges,
    routed_elsewhere,
    written_neighbour,
)
RULES = (*EXPLAINING, large_packets, large_answers, unexplained)
