"""The pods: whether each answers, from its own node and from the others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from provision.spelling import listed
from urltrace.evidence import Host
from urltrace.exchange import WORDS, Exchange
from urltrace.finding import Cleared, Finding, Proof, proof
from urltrace.kubernetes.endpoints import Address
from urltrace.netfilter import stopping
from urltrace.rules import reverse_path
from urltrace.rules.link import NO_PORT, forwarding_off
from urltrace.rules.unserved import seen, served, whole_ok
from urltrace.traefik.logged import CUT, GAVE_UP, NONE
from urltrace.view import View

SLOW = 1.0  # seconds to the first byte
LISTENS = re.compile(r"^LISTEN +\d+ +\d+ +(\S+) ", re.MULTILINE)


@dataclass(frozen=True)
class Asked:
    """A pod, and what each node got from it."""

    address: Address
    host: Host | None
    answers: tuple[tuple[Host, Exchange], ...]

    @property
    def own(self) -> Exchange | None:
        """From the pod's own node."""
        return next((found for node, found in self.answers if node == self.host), None)

    @property
    def name(self) -> str:
        return f"pod {self.address.pod or self.address}"


def not_routed(view: View) -> Iterator[Finding]:
    """A pod answers on its own node, and another node does not get to it."""
    for pod in _pods(view):
        for node, found in pod.answers:
            own = pod.own
            if own is None or own.outcome != "answered" or node == pod.host or _off(view, pod):
                continue
            if found.outcome in ("no connection", "unreachable", "refused"):
                stopped = tuple(_stopped(view, node, pod, found))
                yield from stopped
                if stopped:
                    continue
                routes = view.evidence.answer("routes", node.name)
                line = _route(routes.output, pod.address.ip) if routes else ""
                yield Finding(
                    hop="pod",
                    cause="pod-route",
                    where=f"the way from {node.name} to {pod.host.name if pod.host else ''}'s pods",
                    sentence=f"{node.name} does not reach {pod.name} on {pod.address}, which answers on its own node "
                    f"{pod.host.name if pod.host else ''}{f': its route is {line}' if line else ''}",
                    do=f"On {node.name}: ip route get {pod.address.ip}; it should go by "
                    f"{pod.host.address if pod.host else 'its node'}",
                    proof=(*seen(found), *seen(own), *(proof(routes, line) if line else ())),
                )


def _off(view: View, pod: Asked) -> bool:
    """Whether the pod's node forwards nothing at all, which is told there."""
    return any(pod.host and finding.where.endswith(pod.host.name) for finding in forwarding_off(view))


def _stopped(view: View, node: Host, pod: Asked, found: Exchange) -> Iterator[Finding]:
    """A firewall of the pod's node that forwards nothing from this node to it."""
    answer = view.evidence.answer("filter", pod.host.name) if pod.host else None
    ip, port = pod.address.ip, pod.address.port
    rule = stopping(answer.output, "FORWARD", source=node.address, destination=ip, port=port) if answer else ""
    if rule and answer and pod.host:
        yield Finding(
            hop="pod",
            cause="pod-firewall",
            where=f"the firewall of {pod.host.name}",
            sentence=f"the firewall of {pod.host.name} stops {node.name} from reaching {pod.name} on {pod.address}: "
            f"{rule}",
            do=f"On {pod.host.name}: look at iptables -S FORWARD, and accept what comes for its pods",
            proof=(*seen(found), *proof(answer, rule)),
        )


def not_listening(view: View) -> Iterator[Finding]:
    """Nothing listens in the pod at the port that its Service names."""
    for pod in _pods(view):
        own, listening = pod.own, _listening(view, pod)
        if own and own.outcome == "refused" and not _listens(pod, listening):
            uses = f"its program listens on {listed(listening, 4)}" if listening else ""
            yield Finding(
                hop="pod",
                cause="pod-refuses",
                where=pod.name,
                sentence=f"nothing listens on {pod.address} in {pod.name}: "
                + (uses or "its program uses another port, or only 127.0.0.1"),
                do="Compare the Service's targetPort with what the program listens on: kubectl exec … -- ss -lnt",
                proof=seen(own),
            )


def _listening(view: View, pod: Asked) -> tuple[str, ...]:
    """Where programs in the pod listen, by its own node; () where that was not asked."""
    answer = view.evidence.answer(f"listen pod {pod.address}", pod.host.name) if pod.host else None
    return tuple(dict.fromkeys(LISTENS.findall(answer.output))) if answer else ()


def _listens(pod: Asked, listening: tuple[str, ...]) -> bool:
    """Whether something listens where the pod is asked. curl finds no connection where one is reset at once, too."""
    return any(f"{host}:{pod.address.port}" in listening for host in ("*", "0.0.0.0", "[::]", pod.address.ip))


def not_answering(view: View) -> Iterator[Finding]:
    """A pod takes the connection, and does not answer."""
    for pod in _pods(view):
        own = pod.own
        if own is None:
            continue
        outcome = "closed" if own.outcome == "refused" and _listens(pod, _listening(view, pod)) else own.outcome
        if outcome in ("silent", "closed", "no connection", "unreachable"):
            cause = {"silent": "pod-silent", "closed": "pod-closes"}.get(outcome, "pod-dark")
            yield Finding(
                hop="pod",
                cause=cause,
                where=pod.name,
                sentence=f"{pod.name} on {pod.address} gives no answer on its own node: {WORDS[outcome]}",
                do=f"Look at what it does: kubectl logs {pod.address.pod or '…'}",
                proof=seen(own),
            )


def application_fails(view: View) -> Iterator[Finding]:
    """The application itself answers with an error: every hop passed the request on."""
    for pod in _pods(view):
        own = pod.own
        if own and own.outcome == "answered" and own.status >= 400:
            expected = own.status < 500
            yield Finding(
                hop="pod",
                cause="application",
                where=pod.name,
                sentence=f"the application answers {own.status} itself: {pod.name} on {pod.address}"
                + (", as every hop before it passes on" if expected else ""),
                do=f"Look at its log: kubectl logs {pod.address.pod or '…'}",
                proof=seen(own),
            )


def slow(view: View) -> Iterator[Finding]:
    """A pod answers late."""
    for pod in _pods(view):
        own = pod.own
        if own and own.outcome == "answered" and own.first > SLOW:
            yield Finding(
                hop="pod",
                cause="pod-slow",
                where=pod.name,
                sentence=f"{pod.name} takes {own.first:.1f} s to answer",
                do=f"Look at what it waits for: kubectl logs {pod.address.pod or '…'}",
                proof=(*seen(own), *proof(own.answer, own.answer.errors.strip())),
                latent=whole_ok(view),
            )


def no_http(view: View) -> Iterator[Finding]:
    """What the pod says is no HTTP."""
    for pod in _pods(view):
        own = pod.own
        if own and own.outcome == "failed" and "HTTP/0.9" in own.answer.errors:
            yield Finding(
                hop="pod",
                cause="pod-no-http",
                where=pod.name,
                sentence=f"{pod.name} on {pod.address} speaks no HTTP: its Service leads to a port of something else",
                do="Compare the Service's targetPort with the ports of the pod: kubectl get pod -o yaml",
                proof=(*seen(own), *proof(own.answer, own.answer.errors.strip().splitlines()[0])),
            )


def on_dead_node(view: View) -> Iterator[Finding]:
    """A pod of a node that nobody reaches still gets requests."""
    silent = {one.location for one in view.evidence.unasked}
    for pod in _pods(view):
        cut = [found for _, found in pod.answers if found.outcome in ("no connection", "unreachable")]
        if pod.host and pod.host.name in silent and cut and len(cut) == len(pod.answers):
            yield Finding(
                hop="pod",
                cause="pod-on-dead-node",
                where=pod.name,
                sentence=f"{pod.name} is on {pod.host.name}, which answers nobody, and Traefik still sends requests "
                "to it",
                do=f"Bring {pod.host.name} back, or kubectl delete node {pod.address.node or pod.host.name}",
                proof=seen(cut[0]),
            )


def redirect_loop(view: View) -> Iterator[Finding]:
    """The answer leads back to where it came from."""
    whole, request = view.whole, view.request
    here = f"{request.scheme}://{request.host}{request.path}"
    if whole and 300 <= whole.status < 400 and whole.leads_to.partition("?")[0] in (here, request.path):
        pods = [pod for pod in _pods(view) if pod.own and pod.own.leads_to == whole.leads_to]
        who = pods[0].name if pods else "a hop before the pods"
        yield Finding(
            hop="pod" if pods else "edge",
            cause="redirect-loop",
            where=who,
            sentence=f"{who} answers {whole.status} and leads back to itself: {whole.leads_to}",
            do="Look how it learns by which scheme and host it was asked: X-Forwarded-Proto, X-Forwarded-Host",
            proof=seen(whole),
        )


def between(view: View) -> Iterator[Finding]:
    """A pod gives Traefik no answer, and answers when Traefik's node asks: Traefik's own way to it is cut."""
    asked = [found for pod in _pods(view) for _, found in pod.answers]
    if any(not finding.latent for finding in reverse_path.from_pods(view)):
        return  # told there, with the reason
    for node in view.site.nodes if asked and all(one.outcome == "answered" for one in asked) else ():
        late = 2 * max(one.first for one in asked)  # a client that gives up on a slow application is no sign
        failed = tuple(_failed(view, node, late))
        bad = [found for where, found in served(view) if where == node and found.status in (502, 504)]
        refused = [found for found in bad if not found.by_edge]
        if not failed and not refused:
            continue
        server = failed[0][0] if failed else "its pod"
        rule = next(_stopping_traefik(view, node, server), None)
        yield Finding(
            hop="pod",
            cause="backend-failed",
            where=f"Traefik on {node.name}",
            sentence=f"Traefik on {node.name} gets no answer from {server}, which answers {node.name} itself"
            + (f": {rule.line} on {rule.location}" if rule else ""),
            do="Look at what stops pods and not nodes: rules for the pods' network, network policies, the way back to "
            f"{node.name}'s pods",
            proof=(
                *(line for found in refused for line in seen(found)),
                *(line for _, line in failed[:2]),
                *((rule,) if rule else ()),
            ),
            latent=not refused and not _troubled(view),
        )


def _failed(view: View, node: Host, late: float) -> Iterator[tuple[str, Proof]]:
    """Servers that gave a node's Traefik no answer, as its log and the kernel's connections tell."""
    log, kernel = (view.evidence.answer(question, node.name) for question in ("requests", "connections"))
    for one in view.logged(node):
        if one.status in CUT and one.server != NONE and (one.status != GAVE_UP or one.seconds > late):
            yield from ((one.server, line) for line in proof(log, one.line))
    for flow in view.waiting(node):
        yield from ((flow.target, line) for line in proof(kernel, flow.line))


def _troubled(view: View) -> bool:
    """Whether anybody got no answer by a node or by an edge."""
    kinds = ("name", "edge", "node", "large")
    return not whole_ok(view) or any(one.outcome != "answered" for kind in kinds for one in view.exchanges(kind))


def _stopping_traefik(view: View, node: Host, server: str) -> Iterator[Proof]:
    """A rule by which a host on the way forwards nothing of a node's Traefik to a pod, or nothing back."""
    pod, (ip, _, port) = view.traefik_pod(node), server.rpartition(":")
    for host in view.site.nodes if pod else ():
        answer = view.evidence.answer("filter", host.name)
        here = pod.status.pod_ip if pod else ""
        ways = ((here, ip, int(port) if port.isdigit() else NO_PORT), (ip, here, NO_PORT))
        for source, destination, number in ways if answer else ():
            text = answer.output if answer else ""
            rule = stopping(text, "FORWARD", source=source, destination=destination, port=number)
            yield from proof(answer, rule) if rule else ()


def cleared(view: View) -> Cleared | None:
    """Every pod answers every node that asked it."""
    asked = [(pod, found) for pod in _pods(view) for _, found in pod.answers]
    if asked and all(found.outcome == "answered" for _, found in asked):
        return Cleared("pod", f"{len({str(pod.address) for pod, _ in asked})} pods answer when they are asked directly")
    return None


def _pods(view: View) -> Iterator[Asked]:
    """The pods behind the router that takes the request."""
    winners = [choice.winner for choice in view.choices.values() if choice.winner]
    held = view.backend(winners[0]) if winners else None
    for address in view.endpoints(*held) if held else ():
        host = _host(view, address)
        found = ((node, view.exchange("pod", str(address), node.name)) for node in view.site.nodes)
        yield Asked(address, host, tuple((node, one) for node, one in found if one))


def _host(view: View, address: Address) -> Host | None:
    pods = view.objects.pods or () if view.objects else ()
    by_pod = next((pod.status.host_ip for pod in pods if pod.status.pod_ip == address.ip), "")
    name = address.node.partition(".")[0]
    return next((node for node in view.site.nodes if node.address == by_pod or node.name == name), None)


def _route(text: str, address: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip().startswith(address)), "")


RULES = (
    reverse_path.from_pods,
    on_dead_node,
    not_routed,
    not_listening,
    no_http,
    not_answering,
    application_fails,
    redirect_loop,
    slow,
    between,
)
