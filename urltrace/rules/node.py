"""A node's port: whether it leads to a Traefik that lives."""

from __future__ import annotations

import re
from collections.abc import Iterator

from urltrace.conntrack import flows
from urltrace.evidence import Host
from urltrace.exchange import Exchange
from urltrace.finding import Cleared, Finding, Proof, proof, proof_of
from urltrace.kubernetes.pods import Pod
from urltrace.netfilter import led
from urltrace.view import View

OWNER = re.compile(r'users:\(\("([^"]+)",pid=(\d+)')


def pod_absent(view: View) -> Iterator[Finding]:
    """No Traefik runs on the node."""
    for node, found in _dark(view):
        if view.objects is None or view.objects.pods is None or view.traefik_pod(node):
            continue
        waiting = [pod for pod in view.traefik_pods if not pod.status.host_ip and pod.waits_for]
        why = f": {waiting[0].waits_for}" if waiting else ""
        namespace = view.traefik_pods[0].metadata.namespace if view.traefik_pods else "kube-system"
        yield Finding(
            hop="node",
            cause="traefik-absent",
            where=f"Traefik on {node.name}",
            sentence=f"no Traefik pod runs on {node.name}{why}",
            do=f"kubectl -n {namespace} get daemonsets,pods -o wide; kubectl describe node {node.name}",
            proof=(*proof_of(found), *_pods(view)),
        )


def pod_broken(view: View) -> Iterator[Finding]:
    """The node's Traefik does not run."""
    for node, found in _dark(view):
        pod = view.traefik_pod(node)
        if pod and not pod.ready and pod.waits_for:
            name, namespace = pod.metadata.name, pod.metadata.namespace
            yield Finding(
                hop="node",
                cause="traefik-crashes",
                where=f"pod {pod.key}",
                sentence=f"Traefik on {node.name} does not run: {pod.waits_for}",
                do=f"kubectl -n {namespace} logs {name} --previous; kubectl -n {namespace} describe pod {name}",
                proof=(*proof_of(found), *_pods(view)),
            )


def host_port(view: View) -> Iterator[Finding]:
    """The pod answers, and the node's port does not lead to it."""
    for node, found in _dark(view):
        pod, nat = view.traefik_pod(node), view.evidence.answer("nat", node.name)
        if pod is None or nat is None or pod.spec.host_network or _dead(view, node):
            continue
        rules, port = led(nat.output, view.site.traefik_port), view.site.traefik_port
        owner = _owner(view, node)
        restart = f"kubectl -n {pod.metadata.namespace} delete pod {pod.metadata.name}"
        seen = (*proof_of(found), *_led(view, node, pod))
        if not rules:
            other = f", and {owner} listens there" if owner else ""
            yield Finding(
                hop="node",
                cause="port-taken" if owner else "hostport-missing",
                where=f"port {port} of {node.name}",
                sentence=f"port {port} of {node.name} is not led to Traefik: its kernel has no rule for it{other}",
                do=(f"End {owner} on {node.name}. " if owner else "") + f"Make the pod anew: {restart}",
                proof=(*seen, *proof(nat, f"no rule for --dport {port}")),
            )
        elif rules[0].address != pod.status.pod_ip:
            yield Finding(
                hop="node",
                cause="hostport-stale",
                where=f"port {port} of {node.name}",
                sentence=f"port {port} of {node.name} leads to {rules[0].address}, which no Traefik has any more; "
                f"its pod is {pod.status.pod_ip}",
                do=f"On {node.name}: iptables -t nat {rules[0].line.replace('-A ', '-D ', 1)}; then {restart}",
                proof=(*seen, *proof(nat, rules[0].line)),
            )


def stale_rules(view: View) -> Iterator[Finding]:
    """A second rule for the port is left of a pod that is gone."""
    for node in view.site.nodes:
        pod, nat = view.traefik_pod(node), view.evidence.answer("nat", node.name)
        for rule in led(nat.output, view.site.traefik_port) if pod and nat else ():
            if pod and rule.address != pod.status.pod_ip and node not in [dark for dark, _ in _dark(view)]:
                yield Finding(
                    hop="node",
                    cause="hostport-leftover",
                    where=f"port {view.site.traefik_port} of {node.name}",
                    sentence=f"{node.name} has a rule left that leads port {view.site.traefik_port} to {rule.address}, "
                    "which no Traefik has any more",
                    do=f"On {node.name}: iptables -t nat {rule.line.replace('-A ', '-D ', 1)}",
                    proof=proof(nat, rule.line),
                    latent=True,
                )


def traefik_silent(view: View) -> Iterator[Finding]:
    """Traefik's pod does not answer, not even on its own node."""
    for node, found in _dark(view):
        pod = view.traefik_pod(node)
        direct = _direct(view, node, "traefik")
        if pod and direct and _dead(view, node) and (pod.ready or not pod.waits_for):
            yield Finding(
                hop="node",
                cause="traefik-silent",
                where=f"pod {pod.key}",
                sentence=f"Traefik on {node.name} does not answer on {pod.status.pod_ip}: {direct[0]}",
                do=f"kubectl -n {pod.metadata.namespace} logs {pod.metadata.name}, then delete the pod",
                proof=(*proof_of(found), *proof_of(direct[0])),
            )


def foreign(view: View) -> Iterator[Finding]:
    """Another program answers on the port."""
    for node in view.site.nodes:
        found, nat = view.on_node(node), view.evidence.answer("nat", node.name)
        owner = _owner(view, node)
        if found and found.outcome == "answered" and nat and not led(nat.output, view.site.traefik_port) and owner:
            pod = view.traefik_pod(node)
            if pod and not pod.spec.host_network:
                renew = f"kubectl -n {pod.metadata.namespace} delete pod {pod.metadata.name}"
                yield Finding(
                    hop="node",
                    cause="port-taken",
                    where=f"port {view.site.traefik_port} of {node.name}",
                    sentence=f"{owner}, and not Traefik, answers on port {view.site.traefik_port} of {node.name}",
                    do=f"End it on {node.name}, then {renew}",
                    proof=(*proof_of(found), *proof(view.evidence.answer("listen", node.name))),
                )


def cleared(view: View) -> Cleared | None:
    """Every node's own port answers."""
    own = {node.name: view.on_node(node) for node in view.site.nodes}
    if own and all(found and found.outcome == "answered" for found in own.values()):
        return Cleared("node", f"port {view.site.traefik_port} answers on {', '.join(own)} themselves")
    return None


def _dark(view: View) -> Iterator[tuple[Host, Exchange]]:
    """Nodes whose port gives no answer, as they see it themselves, else as an edge does.

    One that takes the connection and then is silent may wait for a pod: not the port's fault while Traefik lives.
    """
    for node in view.site.nodes:
        found = view.on_node(node)
        seen = (found,) if found else view.from_edges(node)
        waits = seen and all(one.outcome == "silent" for one in seen) and _alive(view, node)
        if seen and not waits and all(one.outcome != "answered" for one in seen):
            yield node, seen[0]


def _alive(view: View, node: Host) -> bool:
    """Whether the node's Traefik answers anything at its own address."""
    return any(one.outcome == "answered" for one in _direct(view, node, "alive", "traefik"))


def _dead(view: View, node: Host) -> bool:
    """Whether it was asked there, and answers nothing."""
    return bool(_direct(view, node, "alive", "traefik")) and not _alive(view, node)


def _direct(view: View, node: Host, *kinds: str) -> list[Exchange]:
    """Requests to the node's Traefik past the host port. A host may have noted an address that its pod had before."""
    pod = view.traefik_pod(node)
    found = [one for kind in kinds for one in view.exchanges(kind, node.name)]
    return [one for one in found if pod is None or one.answer.question.split()[2].startswith(f"{pod.status.pod_ip}:")]


def _led(view: View, node: Host, pod: Pod) -> tuple[Proof, ...]:
    """Where the kernel has led connections to the port instead of to the pod."""
    answer = view.evidence.answer("connections", node.name)
    port = f":{view.site.traefik_port}"
    every = [flow for flow in flows(answer.output) if flow.target.endswith(port)] if answer else []
    return next((proof(answer, flow.line) for flow in every if flow.led != pod.status.pod_ip), ())


def _owner(view: View, node: Host) -> str:
    """The program that listens on the port, with its process id."""
    listen = view.evidence.answer("listen", node.name)
    for line in listen.output.splitlines() if listen else ():
        if re.search(rf":{view.site.traefik_port}\s", line):
            found = OWNER.search(line)
            return f"{found[1]} (process {found[2]})" if found else "a program"
    return ""


def _pods(view: View) -> tuple[Proof, ...]:
    if not view.objects_answer:
        return ()
    return proof(view.objects_answer, "; ".join(map(_shown, view.traefik_pods)) or "no pod has the host port")


def _shown(pod: Pod) -> str:
    state = "ready" if pod.ready else pod.waits_for or pod.status.phase or "not ready"
    return f"{pod.key} on {pod.spec.node_name or 'no node'}: {state}"


RULES = (pod_absent, pod_broken, host_port, traefik_silent, foreign, stale_rules)
