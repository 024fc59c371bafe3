"""The control plane: it serves no request, and without it routes decay."""

from __future__ import annotations

from collections.abc import Iterator

from urltrace.finding import Cleared, Finding, proof
from urltrace.rules.unserved import whole_ok
from urltrace.view import View


def api_silent(view: View) -> Iterator[Finding]:
    """An API server is not ready."""
    for master in view.site.masters:
        answer = view.evidence.answer("readyz", master.name)
        if answer and answer.code != 0:
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


RULES = (api_silent, dns_address)
