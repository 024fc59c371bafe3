"""The control plane: it serves no request, and without it routes decay."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from urltrace.finding import Cleared, Finding, proof
from urltrace.rules.certificate import certificate_date
from urltrace.rules.unserved import whole_ok
from urltrace.view import View

ETCD = "[-]etcd failed"
PROGRAMS = {
    "kubelet": "its pods are not looked after, and the API takes the node for dead",
    "kube-proxy": "its rules for Services grow old (requests by the edge do not need them)",
}
MANAGERS = {
    "10257": ("controller manager", "no pod is replaced, no endpoint changes"),
    "10259": ("scheduler", "no new pod gets a node"),
}


def api_silent(view: View) -> Iterator[Finding]:
    """An API server is not ready."""
    for master in view.site.masters:
        answer = view.evidence.answer("readyz", master.name)
        if answer and answer.code != 0 and not any(without_quorum(view)):
            failing = next((line for line in answer.output.splitlines() if line.startswith("[-]")), "")
            yield Finding(
                hop="control",
                cause="api-not-ready",
                where=f"the API server on {master.name}",
                sentence=f"the API server on {master.name} is not ready{f': {failing}' if failing else ''}",
                do=f"On {master.name}: supervisorctl status; look at the logs of etcd and kube-apiserver",
                proof=proof(answer, failing),
                latent=whole_ok(view) or bool(view.objects),
            )


def without_quorum(view: View) -> Iterator[Finding]:
    """Every API server that could be asked says that etcd fails."""
    answers = [answer for master in view.site.masters if (answer := view.evidence.answer("readyz", master.name))]
    failing = [answer for answer in answers if answer.code != 0 and ETCD in answer.output + answer.errors]
    if failing and len(failing) == len(answers):
        who = " and ".join(answer.location for answer in failing)
        yield Finding(
            hop="control",
            cause="etcd-quorum",
            where="etcd",
            sentence=f"etcd does not answer the API servers on {who}: it has no quorum, and nothing can be changed",
            do="On each member: supervisorctl status; start the members that are down, most of them have to run",
            proof=tuple(line for answer in failing for line in proof(answer, ETCD)),
            latent=whole_ok(view),
        )


def entrance_closed(view: View) -> Iterator[Finding]:
    """Nodes do not reach the API by its entrance, and an API server is ready."""
    address = view.site.api
    answers = [answer for node in view.site.nodes if (answer := view.evidence.answer(f"api {address}", node.name))]
    ready = any(
        (said := view.evidence.answer("readyz", master.name)) and said.code == 0 for master in view.site.masters
    )
    failed = [answer for answer in answers if answer.code != 0]
    if failed and ready:
        who = ", ".join(answer.location for answer in failed)
        yield Finding(
            hop="control",
            cause="api-entrance",
            where=f"{address}, the entrance of the API",
            sentence=f"{who} can't reach the API at {address}, and an API server is ready: kubelet and kube-proxy "
            "there hear of nothing new",
            do=f"Look at who listens there: nc -vz {address.replace(':', ' ')}; the edge's program",
            proof=tuple(line for answer in failed for line in proof(answer, answer.errors.strip())),
            latent=whole_ok(view),
        )


def program_silent(view: View) -> Iterator[Finding]:
    """A program that each node needs does not answer on one."""
    for question, effect in PROGRAMS.items():
        answers = [answer for node in view.site.nodes if (answer := view.evidence.answer(question, node.name))]
        failed = [answer for answer in answers if answer.code != 0]
        # where none has kube-proxy, the network does without
        for answer in failed if question == "kubelet" or len(failed) < len(answers) else ():
            yield Finding(
                hop="control",
                cause=f"{question}-down",
                where=f"{question} on {answer.location}",
                sentence=f"{question} on {answer.location} does not answer: {effect}",
                do=f"On {answer.location}: supervisorctl status; look at its log",
                proof=proof(answer, answer.errors.strip()),
                latent=True,
            )


def managers(view: View) -> Iterator[Finding]:
    """No controller manager, or no scheduler, answers on any master."""
    answers = [answer for master in view.site.masters if (answer := view.evidence.answer("managers", master.name))]
    for port, (name, effect) in MANAGERS.items():
        lines = [line for answer in answers for line in answer.output.splitlines() if line.startswith(port)]
        if lines and all(line.endswith(" 000") for line in lines):
            yield Finding(
                hop="control",
                cause="controller-down" if port == "10257" else "scheduler-down",
                where=name,
                sentence=f"no {name} answers on {', '.join(answer.location for answer in answers)}: {effect}",
                do=f"On the masters: supervisorctl status; look at the log of the {name}",
                proof=proof(answers[0], lines[0]),
                latent=True,
            )


def certificates_ended(view: View) -> Iterator[Finding]:
    """A certificate of a host's program has ended: the first of each host, and how many more."""
    for answer in view.evidence.about("ends"):
        ended = [(file, end) for file, end in ends(answer.output) if end < view.now]
        for file, end in ended[:1]:
            more = f", and {len(ended) - 1} more there" if len(ended) > 1 else ""
            yield Finding(
                hop="control",
                cause="certificate-ended",
                where=f"{file} on {answer.location}",
                sentence=f"the certificate {file} on {answer.location} ended on {end:%Y-%m-%d}{more}: "
                "whoever checks it refuses it",
                do="Run `invoke deploy`: it renews what has ended. `invoke certs` lists every certificate of the site",
                proof=tuple(one for each, at in ended[:8] for one in proof(answer, f"{each}: {at:%Y-%m-%d %H:%M} UTC")),
                latent=whole_ok(view),
            )


def ends(text: str) -> tuple[tuple[str, datetime], ...]:
    """Files with the ends of their certificates: lines of FILE:NUMBER, then the ends one after the other."""
    lines = text.splitlines()
    counted = (line.rpartition(":") for line in lines if "Not After" not in line)
    files = [file for file, _, number in counted for _ in range(int(number))]
    dates = [certificate_date(line.partition(":")[2]) for line in lines if "Not After" in line]
    return tuple(zip(files, dates, strict=False))


def dns_absent(view: View) -> Iterator[Finding]:
    """The Service that pods ask for names has no pod behind it."""
    address, services = view.site.cluster_dns, view.objects.services if view.objects else None
    holder = next((one for one in services or () if address and one.spec.cluster_ip == address), None)
    port = next((port for port in holder.spec.ports if port.port == 53), None) if holder else None
    if holder and port and not view.endpoints(holder, port):
        yield Finding(
            hop="control",
            cause="coredns-absent",
            where=f"Service {holder.key}",
            sentence=f"Service {holder.key} on {address} has no pod that is ready: "
            "nothing in the cluster resolves names",
            do=f"kubectl -n {holder.metadata.namespace} get deployments,pods; look why none is ready",
            proof=proof(view.objects_answer, f"Service {holder.key}: 0 endpoints"),
            latent=True,
        )


def dns_address(view: View) -> Iterator[Finding]:
    """Another Service has the address that pods ask for names, or none has it."""
    address, services = view.site.cluster_dns, view.objects.services if view.objects else None
    if not address or not services:
        return
    holder = next((one for one in services if one.spec.cluster_ip == address), None)
    if holder and any(port.port == 53 for port in holder.spec.ports):
        return
    ports = ", ".join(str(port.port) for port in holder.spec.ports) if holder else ""
    taken = f"Service {holder.key} (port {ports}) has taken {address}" if holder else f"no Service has {address}"
    yield Finding(
        hop="control",
        cause="dns-address-taken" if holder else "dns-address-free",
        where=f"Service {holder.key}" if holder else f"the address {address}",
        sentence=f"{taken}, where pods ask for names: nothing in the cluster resolves them",
        do=(f"kubectl -n {holder.metadata.namespace} delete service {holder.metadata.name}, then " if holder else "")
        + "deploy CoreDNS's Service again with that clusterIP",
        proof=proof(view.objects_answer, f"clusterIP {address}: {holder.key if holder else 'none'}"),
    )


def cleared(view: View) -> Cleared | None:
    """Every API server is ready."""
    found = [view.evidence.answer("readyz", master.name) for master in view.site.masters]
    asked = [answer for answer in found if answer]
    if asked and all(answer.code == 0 for answer in asked):
        return Cleared("control", f"the API servers on {', '.join(answer.location for answer in asked)} are ready")
    return None


RULES = (
    without_quorum,
    api_silent,
    dns_address,
    dns_absent,
    entrance_closed,
    program_silent,
    managers,
    certificates_ended,
)
