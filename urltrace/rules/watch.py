"""Traefik's watch of the API: what it may read, and whether it has read it."""

from __future__ import annotations

from collections.abc import Iterator

from urltrace.evidence import Host
from urltrace.finding import Finding, Proof, proof
from urltrace.rules.unserved import about, lines_with, meant, seen, unserved, would_match
from urltrace.traefik.access import missing_access
from urltrace.traefik.routers import Router
from urltrace.view import View

FORBIDDEN = "is forbidden"


def access_missing(view: View) -> Iterator[Finding]:
    """Traefik may not read what it needs, and so has no routers at all."""
    pods, objects, provider = view.traefik_pods, view.objects, view.provider
    if not pods or not objects or objects.roles is None or objects.bindings is None or not provider:
        return
    account = f"{pods[0].metadata.namespace}/{pods[0].spec.service_account_name}"
    missing = missing_access(account, objects.roles, objects.bindings, provider)
    if missing:
        what = sorted({words.split(maxsplit=1)[1].partition(".")[0] for words in missing})
        logged = tuple(
            shown
            for answer in view.evidence.about("log traefik")
            for line in lines_with(answer.output, FORBIDDEN)[:1]
            for shown in proof(answer, line)
        )
        yield Finding(
            hop="traefik",
            cause="access-missing",
            where=f"the ClusterRole of {account}",
            sentence=f"Traefik may not read {', '.join(what)}: its account {account} lacks '{missing[0]}', and without "
            "it no Ingress becomes a route",
            do=f"Add it to the ClusterRole, then look: kubectl auth can-i {missing[0]} -A --as=system:serviceaccount:"
            f"{account.replace('/', ':')}",
            proof=(*logged, *proof(view.objects_answer, f"no rule of the account allows: {', '.join(missing)}")),
            latent=not unserved(view),
        )


def provider_off(view: View) -> Iterator[Finding]:
    """Traefik was not told to read Ingresses."""
    if view.provider and not view.provider.enabled and unserved(view):
        yield Finding(
            hop="traefik",
            cause="provider-off",
            where="the arguments of Traefik",
            sentence="Traefik does not read Ingresses: its arguments do not enable the provider",
            do="Add --providers.kubernetesingress=true to the arguments of its DaemonSet",
            proof=proof(view.objects_answer, "no argument --providers.kubernetesingress"),
        )


def without_routes(view: View) -> Iterator[Finding]:
    """One node's Traefik has loaded nothing: it does not reach the API, or started without it."""
    if any(access_missing(view)) or any(provider_off(view)):
        return
    counts = {name: sum(_of_cluster(one) for one in loaded.routers) for name, loaded in view.loaded.items()}
    for node, found in unserved(view):
        if counts.get(node.name, 1) == 0 and (max(counts.values()) > 0 or any(read.routers for read in view.reads)):
            others = ", ".join(f"{count} on {name}" for name, count in counts.items() if count)
            pod = view.traefik_pod(node)
            renew = f"kubectl -n {pod.metadata.namespace} delete pod {pod.metadata.name}" if pod else "restart its pod"
            yield Finding(
                hop="traefik",
                cause="no-routes",
                where=f"Traefik on {node.name}",
                sentence=f"Traefik on {node.name} has loaded no Ingress at all{f' ({others})' if others else ''}: "
                "it does not reach the API",
                do=f"Look at its log, and whether {node.name} reaches the API; then {renew}",
                proof=(*seen(found), *_log(view, node)),
            )


def stale_routes(view: View) -> Iterator[Finding]:
    """A router that the API's objects give is not loaded on a node."""
    if any(access_missing(view)) or any(without_routes(view)):
        return
    for node, found in unserved(view):
        if node.name not in view.loaded:
            continue
        names = {router.name for router in view.loaded[node.name].routers}
        for read in meant(view):
            lost = [router for router in read.routers if router.name not in names and would_match(router, view)]
            if lost:
                yield Finding(
                    hop="traefik",
                    cause="stale-routes",
                    where=f"Traefik on {node.name}",
                    sentence=f"Traefik on {node.name} has not loaded Ingress {read.ingress.key}, which nothing "
                    "forbids: it no longer hears from the API",
                    do=f"Look whether {node.name} reaches the API; then delete its Traefik pod",
                    proof=(*seen(found), *_log(view, node), *about(view, read)),
                )
                break


def _of_cluster(router: Router) -> bool:
    return router.provider.startswith("kubernetes")


def _log(view: View, node: Host) -> tuple[Proof, ...]:
    answer = view.evidence.answer("log traefik", node.name)
    lines = lines_with(answer.output, "ERR", "E1", "Failed to") if answer else []
    return proof(answer, lines[-1]) if lines else ()


RULES = (access_missing, provider_off, without_routes, stale_routes)
