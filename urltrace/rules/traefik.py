"""Traefik's routers: which takes the request, and why none does."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from urltrace.evidence import Host
from urltrace.finding import Cleared, Finding, Proof, proof
from urltrace.rules import watch
from urltrace.rules.unserved import about, for_path, host_matches, meant, seen, served, unserved, whole_ok, would_match
from urltrace.traefik.routers import Judged
from urltrace.view import View

REJECTS = (401, 403, 413, 429)


def ingress_refused(view: View) -> Iterator[Finding]:
    """The Ingress for the request exists, and Traefik makes no router of it."""
    if not unserved(view):
        return
    for read in meant(view):
        refusal = next((one for one in read.refusals if for_path(view, read, one)), None)
        if refusal:
            yield Finding(
                hop="service" if refusal.cause in ("service", "port", "endpoints") else "traefik",
                cause=f"ingress-{refusal.cause}",
                where=f"Ingress {read.ingress.key}",
                sentence=f"Ingress {read.ingress.key} is not loaded: {refusal.sentence}",
                do=refusal.do,
                proof=(*seen(unserved(view)[0][1]), *about(view, read)),
            )


def secret_missing(view: View) -> Iterator[Finding]:
    """The Ingress for the request is loaded without the certificate that it names."""
    for read in meant(view):
        for warning in read.warnings:
            yield Finding(
                hop="traefik",
                cause=f"ingress-{warning.cause}",
                where=f"Ingress {read.ingress.key}",
                sentence=warning.sentence,
                do=warning.do,
                proof=about(view, read),
                latent=True,
            )


def router_disabled(view: View) -> Iterator[Finding]:
    """A router for the request is loaded with an error."""
    for node, found in unserved(view):
        for judged in view.choices[node.name].others if node.name in view.choices else ():
            own = judged.router.provider == "internal"  # Traefik's dashboard takes every host, at a port of its own
            if (
                judged.cause in ("disabled", "rule", "tls", "entrypoint")
                and not own
                and would_match(judged.router, view)
            ):
                yield Finding(
                    hop="traefik",
                    cause=f"router-{judged.cause}",
                    where=f"router {judged.router.name}",
                    sentence=f"Traefik does not use its router {judged.router.name}: {judged.sentence}",
                    do=_repair(judged),
                    proof=(*seen(found), *_router(view, node, judged)),
                )
                return


def path_not_matched(view: View) -> Iterator[Finding]:
    """Routers have the host, and none the rest of the request."""
    refused = [read for read in meant(view) if any(for_path(view, read, one) for one in read.refusals)]
    for node, found in () if refused else unserved(view):
        choice = view.choices.get(node.name)
        near = [one for one in choice.nearest if host_matches(one)] if choice else []
        near.sort(key=lambda one: -_begun(one, view.request.path))
        if near:
            shown = near[0]
            yield Finding(
                hop="traefik",
                cause="no-match",
                where=f"Ingress {shown.router.ingress}" if shown.router.ingress else f"router {shown.router.name}",
                sentence=f"no router takes the request: {shown.router.name} has the host, and {shown.sentence}",
                do=f"Ask for what the rule says, or change it: {shown.router.rule}",
                proof=(*seen(found), *(line for one in near[:3] for line in _router(view, node, one))),
            )
            return


def no_ingress(view: View) -> Iterator[Finding]:
    """No Ingress has the host."""
    dark = unserved(view)
    if not dark or view.objects is None or view.objects.ingresses is None or meant(view):
        return
    if any(host_matches(one) for choice in view.choices.values() for one in choice.nearest):
        return
    hosts = sorted({rule.host for one in view.objects.ingresses for rule in one.spec.rules if rule.host})
    near = get_close_matches(view.request.name, hosts, n=1, cutoff=0.7)
    owner = next((one.key for one in view.objects.ingresses for rule in one.spec.rules if [rule.host] == near), "")
    yield Finding(
        hop="traefik",
        cause="no-ingress",
        where=f"Ingress {owner}" if owner else "the Ingresses of the cluster",
        sentence=f"no Ingress has the host {view.request.name}" + (f"; {owner} has {near[0]}" if near else ""),
        do=f"Correct the host in Ingress {owner}" if owner else f"Create an Ingress with host: {view.request.name}",
        proof=(*seen(dark[0][1]), *proof(view.objects_answer, f"hosts: {', '.join(hosts) or 'none'}")),
    )


def rejected(view: View) -> Iterator[Finding]:
    """A middleware of the router refuses."""
    for node, found in served(view):
        choice = view.choices.get(node.name)
        pods = view.exchanges("pod", node.name)
        if found.status in REJECTS and choice and choice.winner and choice.winner.middlewares and not found.by_edge:
            if any(one.status == found.status for one in pods):
                continue
            yield Finding(
                hop="traefik",
                cause="middleware",
                where=f"router {choice.winner.name}",
                sentence=f"a middleware of Traefik answers {found.status}: {', '.join(choice.winner.middlewares)} of "
                f"router {choice.winner.name}",
                do=f"Look at it: kubectl describe middleware; it stands in Ingress {choice.winner.ingress or '…'}",
                proof=seen(found),
            )
            return


def tied(view: View) -> Iterator[Finding]:
    """Two routers of the same rank match, and chance decides."""
    for name, choice in view.choices.items():
        if choice.winner and choice.tied:
            names = [one.ingress or one.name for one in (choice.winner, *choice.tied)]
            yield Finding(
                hop="traefik",
                cause="tied",
                where=f"Ingress {names[-1]}",
                sentence=f"{' and '.join(names)} both match with the same priority: which one answers is chance",
                do="Take the host or path from one of them, or give one the annotation "
                "traefik.ingress.kubernetes.io/router.priority",
                proof=proof(view.evidence.answer("rawdata", name), choice.winner.rule),
                latent=whole_ok(view),
            )
            return


def shadowed(view: View) -> Iterator[Finding]:
    """Another Ingress with the same host has a higher priority."""
    for name, choice in view.choices.items():
        winner = choice.winner
        for other in choice.shadowed if winner else ():
            # what a longer path takes from a shorter one is meant so; a priority that somebody wrote may not be
            if winner and other.ingress != winner.ingress and winner.rank != len(winner.rule.encode()):
                yield Finding(
                    hop="traefik",
                    cause="shadowed",
                    where=f"Ingress {winner.ingress or winner.name}",
                    sentence=f"{winner.ingress or winner.name} takes the request from {other.ingress or other.name} "
                    f"by its priority {winner.rank} (against {other.rank})",
                    do=f"Take the annotation router.priority from Ingress {winner.ingress}, if that is not meant",
                    proof=proof(view.evidence.answer("rawdata", name), winner.rule),
                    latent=whole_ok(view),
                )
                return


def cleared(view: View) -> Cleared | None:
    """Every Traefik that could be asked has a router for the request."""
    winners = {name: choice.winner for name, choice in view.choices.items()}
    if winners and all(winners.values()):
        first = next(iter(winners.values()))
        return Cleared("traefik", f"router {first.name if first else ''} takes it on {', '.join(winners)}")
    return None


def _begun(judged: Judged, path: str) -> int:
    """How much of the path a rule has that does not match: '/' alone is nearer to /a than /b is."""
    values = [reason.matcher.values for reason in judged.why_not if reason.matcher.name.startswith("Path")]
    return max((len(held[0]) for held in values if held and path.startswith(held[0])), default=0)


def _repair(judged: Judged) -> str:
    if judged.cause == "tls":
        return "Ask by https, or remove router.tls from the Ingress (or from the entry point)"
    if judged.cause == "entrypoint":
        return "Correct the annotation traefik.ingress.kubernetes.io/router.entrypoints of the Ingress"
    return "Correct what the error names; Traefik then loads the router within a second"


def _router(view: View, node: Host, judged: Judged) -> tuple[Proof, ...]:
    answer = view.evidence.answer("rawdata", node.name)
    return proof(answer, f"{judged.router.name}: {judged.router.rule}: {judged.sentence}")


RULES = (
    *watch.RULES,
    router_disabled,
    ingress_refused,
    path_not_matched,
    no_ingress,
    rejected,
    tied,
    shadowed,
    secret_missing,
)
