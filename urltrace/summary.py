"""A verdict as lines for a person: one a hop, then the fault."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from urltrace.evidence import Evidence
from urltrace.exchange import WORDS, Exchange
from urltrace.finding import HOPS, Cleared, Finding, Hop
from urltrace.fingerprint import Difference
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
SHOWN = 3
WIDTH = max(map(len, NAMES.values()))


def summary(evidence: Evidence, verdict: Verdict, *, verbose: bool = False) -> list[str]:
    """verbose: every line of evidence too."""
    view = View(evidence)
    cleared = {one.hop: one for clear in CLEARING if (one := clear(view))}
    return [
        str(view.request).partition("?")[0] + (f", asked from {evidence.client}" if evidence.client else ""),
        *(side_by_side(view) if verbose else ()),
        *(_hop(hop, cleared.get(hop), verdict, seconds(view, hop)) for hop in HOPS),
        "",
        *_verdict(verdict, verbose),
    ]


def _hop(hop: Hop, cleared: Cleared | None, verdict: Verdict, took: str) -> str:
    every = (*((verdict.fault,) if verdict.fault else ()), *verdict.others)
    fault = next((one for one in every if one.hop == hop), None)
    if fault:
        return f"  ✗ {NAMES[hop]:<{WIDTH}}  {fault.sentence}"
    if cleared:
        return f"  ✓ {NAMES[hop]:<{WIDTH}}  {cleared.because}{took}"
    return f"  ? {NAMES[hop]:<{WIDTH}}  not known"


def side_by_side(view: View) -> list[str]:
    """What each node answered at each hop, a column for each."""
    nodes = view.site.nodes
    rows: list[tuple[str, list[str]]] = [
        (f"from {edge.name}", [_cell(view.exchange("node", view.node_target(node), edge.name)) for node in nodes])
        for edge in view.site.edges
    ]
    rows.append(("its own port", [_cell(view.on_node(node)) for node in nodes]))
    rows.append(("its Traefik", [_cell(*view.exchanges("traefik", node.name)) for node in nodes]))
    rows.append(("router", [_winner(view, node.name) for node in nodes]))
    rows += [
        (f"pod {target}", [_cell(view.exchange("pod", target, node.name)) for node in nodes])
        for target in dict.fromkeys(one.answer.question.split()[2] for one in view.exchanges("pod"))
    ]
    wide = [max(len(node.name), *(len(cells[n]) for _, cells in rows)) for n, node in enumerate(nodes)]
    first = max(len(name) for name, _ in rows)
    head = ["", *(node.name for node in nodes)]
    lines = [head, *([name, *cells] for name, cells in rows)]
    return [
        "  " + "  ".join(f"{cell:<{n}}" for cell, n in zip(line, (first, *wide), strict=True)).rstrip()
        for line in lines
    ]


def _cell(*found: Exchange | None) -> str:
    one = next((each for each in found if each), None)
    if one is None:
        return "not asked"
    return f"{one.status} in {one.total:.3f} s" if one.outcome == "answered" else WORDS[one.outcome]


def _winner(view: View, node: str) -> str:
    choice = view.choices.get(node)
    if choice is None:
        return "not known"
    return choice.winner.name if choice.winner else "none takes it"


def seconds(view: View, hop: Hop) -> str:
    """How long the answer took that was asked for at a hop: ' (0.012 s)'; '' where none was."""
    found = {
        "name": view.exchanges("name"),
        "edge": view.exchanges("edge"),
        "link": tuple(one for node in view.site.nodes for one in view.from_edges(node)),
        "node": tuple(one for node in view.site.nodes if (one := view.on_node(node))),
        "traefik": view.exchanges("traefik"),
        "pod": view.exchanges("pod"),
    }.get(hop, ())
    took = [one.total for one in found if one.outcome == "answered"]
    return f" ({max(took):.3f} s)" if took else ""


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


def changed_lines(verdict: Verdict, since: str, changed: Sequence[Difference]) -> list[str]:
    """What is different from when the URL last answered: first what is at the hop of the fault."""
    hop = verdict.fault.hop if verdict.fault else ""
    nearest = sorted(changed, key=lambda one: one.hop != hop)
    lines = [f"Changed: {one}" for one in nearest[:SHOWN]]
    if since and verdict.fault:
        more = f", and {len(nearest) - SHOWN} more things" if len(nearest) > SHOWN else ""
        lines.append(f"         since it last answered, {since}{more}" if lines else f"Changed: nothing since {since}")
    return lines


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
