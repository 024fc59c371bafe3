"""The Service behind the router: its endpoints, and what Traefik knows of them."""

from __future__ import annotations

from collections.abc import Iterator

from urltrace.finding import Cleared, Finding, proof
from urltrace.kubernetes.endpoints import why_none
from urltrace.rules.unserved import seen, served
from urltrace.view import View

FAILING = (500, 502, 503, 504)


def without_endpoints(view: View) -> Iterator[Finding]:
    """The router is there, and its Service has no endpoint: 503."""
    for node, found in served(view):
        choice = view.choices.get(node.name)
        held = view.backend(choice.winner) if choice and choice.winner else None
        if held is None or found.ok or view.endpoints(*held) or held[0].spec.type == "ExternalName":
            continue
        sentence, do = why_none(view.objects, *held) if view.objects else ("", "")
        yield Finding(
            hop="service",
            cause="no-endpoints",
            where=f"Service {held[0].key}",
            sentence=sentence,
            do=do,
            proof=(*seen(found), *proof(view.objects_answer, f"Service {held[0].key}: 0 endpoints serve")),
        )
        return


def all_ending(view: View) -> Iterator[Finding]:
    """Every pod of the Service is ending: Traefik sends none of them anything new."""
    for node, found in served(view):
        choice = view.choices.get(node.name)
        held = view.backend(choice.winner) if choice and choice.winner else None
        known = view.endpoints(*held) if held else ()
        if held and known and all(address.ending for address in known) and not found.ok:
            yield Finding(
                hop="service",
                cause="pods-ending",
                where=f"Service {held[0].key}",
                sentence=f"every pod of Service {held[0].key} is ending, and no new one is ready",
                do=f"Look at what replaces them: kubectl -n {held[0].metadata.namespace} get deployments,pods",
                proof=(*seen(found), *proof(view.objects_answer, f"terminating: {', '.join(map(str, known))}")),
            )
            return


def stale_servers(view: View) -> Iterator[Finding]:
    """A Traefik sends to addresses that are no endpoints any more."""
    for node, found in served(view):
        choice, loaded = view.choices.get(node.name), view.loaded.get(node.name)
        winner = choice.winner if choice else None
        held = view.backend(winner) if winner else None
        service = loaded.by_name.get(winner.service_name) if loaded and winner else None
        if not held or not service or not view.endpoints(*held):
            continue
        known = {str(address) for address in view.endpoints(*held)}
        used = {url.partition("//")[2] for url in service.servers}
        # a Service that is balanced by its own address has that one
        if used and not used & known and held[0].spec.cluster_ip not in "".join(used):
            yield Finding(
                hop="service",
                cause="stale-servers",
                where=f"Traefik on {node.name}",
                sentence=f"Traefik on {node.name} sends to {', '.join(sorted(used))}, and the endpoints of "
                f"{held[0].key} are {', '.join(sorted(known))}",
                do=f"Look whether {node.name} reaches the API; then delete its Traefik pod",
                proof=(*seen(found), *proof(view.evidence.answer("rawdata", node.name), ", ".join(service.servers))),
                latent=found.ok,
            )


def cleared(view: View) -> Cleared | None:
    """The Service has endpoints."""
    for choice in view.choices.values():
        held = view.backend(choice.winner) if choice.winner else None
        if held and (found := view.endpoints(*held)):
            return Cleared("service", f"Service {held[0].key} has {len(found)} endpoints: {', '.join(map(str, found))}")
    return None


RULES = (without_endpoints, all_ending, stale_servers)
