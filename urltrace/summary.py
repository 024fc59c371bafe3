"""A verdict as lines for a person: one a hop, then the fault."""

from __future__ import annotations

from collections.abc import Iterator

from urltrace.evidence import Evidence
from urltrace.finding import HOPS, Cleared, Finding, Hop
from urltrace.kubernetes.objects import Objects
from urltrace.traefik.change import foretell
from urltrace.traefik.routers import Choice
from urltrace.verdict import CLEARING, Verdict
from urltrace.view import View

NAMES: dict[Hop, str] = {
    "name": "name",
    "edge": "edge",
    "link": "edge to node",
    "node": "node port",
    "traefik": "Traefik",
    "service": "Service",
    "pod": "pod",
    "control": "control plane",
}
WIDTH = max(map(len, NAMES.values()))


def summary(evidence: Evidence, verdict: Verdict, *, verbose: bool = False) -> list[str]:
    """verbose: every line of evidence too."""
    view = View(evidence)
    cleared = {one.hop: one for clear in CLEARING if (one := clear(view))}
    return [
        str(view.request).partition("?")[0] + (f", asked from {evidence.client}" if evidence.client else ""),
        *(_hop(hop, cleared.get(hop), verdict) for hop in HOPS),
        "",
        *_verdict(verdict, verbose),
    ]


def _hop(hop: Hop, cleared: Cleared | None, verdict: Verdict) -> str:
    every = (*((verdict.fault,) if verdict.fault else ()), *verdict.others)
    fault = next((one for one in every if one.hop == hop), None)
    if fault:
        return f"  ✗ {NAMES[hop]:<{WIDTH}}  {fault.sentence}"
    if cleared:
        return f"  ✓ {NAMES[hop]:<{WIDTH}}  {cleared.because}"
    return f"  ? {NAMES[hop]:<{WIDTH}}  not known"


def _verdict(verdict: Verdict, verbose: bool) -> Iterator[str]:
    yield f"Verdict: {verdict.sentence}"
    if verdict.fault:
        yield f"Fix:     {verdict.fault.do}"
        yield from _proof(verdict.fault, every=verbose)
        yield from (f"Not {NAMES[one.hop]}: {one.because}" for one in verdict.not_this)
    for finding in verdict.others:
        yield f"Next:    {finding.sentence}"
        yield from _proof(finding, every=verbose) if verbose else ()
    for finding in verdict.latent:
        yield f"Also:    {finding.sentence}"
    for unasked in verdict.unasked:
        yield f"Unasked: {unasked.location}: {unasked.why}"


def _proof(finding: Finding, *, every: bool) -> Iterator[str]:
    shown = finding.proof if every else finding.proof[:3]
    yield from (f"Seen:    {proof}" for proof in shown)


def foretold(view: View, change: Objects) -> list[str]:
    """What would happen with a changed Ingress, as lines."""
    if not change.ingresses:
        return ["With it: the file has no Ingress"]
    if view.provider is None or view.objects is None:
        return ["With it: not known, because the API and Traefik's flags could not be read"]
    found = foretell(view.request, view.objects, change, view.provider, view.entrypoint)
    lines = [f"With it: {_taken(found.before)} -> {_taken(found.after)}"]
    for read in found.reads:
        lines += [
            f"         Ingress {read.ingress.key} {one.path or 'as a whole'}: {one.sentence}" for one in read.refusals
        ]
        lines += [f"         {one.sentence}" for one in read.warnings]
    return [*lines, *(f"Takes:   {one}" for one in found.takeovers)]


def _taken(choice: Choice) -> str:
    return f"Ingress {choice.winner.ingress}" if choice.winner else "Traefik's 404"
