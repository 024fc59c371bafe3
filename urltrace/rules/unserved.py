"""Requests that no router of a Traefik took, and the Ingresses that were meant for them."""

from __future__ import annotations

from collections.abc import Iterator

from urltrace.evidence import Host
from urltrace.exchange import Exchange
from urltrace.finding import Proof, proof, proof_of
from urltrace.traefik.evaluate import evaluate
from urltrace.traefik.ingress import Read, Refusal
from urltrace.traefik.routers import Judged, Router
from urltrace.traefik.rule import And, Matcher, RuleError, matchers, parse
from urltrace.view import View


def served(view: View) -> Iterator[tuple[Host, Exchange]]:
    """What the Traefik of each node answered, as near to it as was asked."""
    for node in view.site.nodes:
        near = (*view.exchanges("traefik", node.name), view.on_node(node), *view.from_edges(node))
        found = next((one for one in near if one and one.outcome == "answered"), None)
        if found:
            yield node, found


def unserved(view: View) -> tuple[tuple[Host, Exchange], ...]:
    return tuple((node, found) for node, found in served(view) if found.unserved and not _won(view, node))


def _won(view: View, node: Host) -> bool:
    choice = view.choices.get(node.name)
    return bool(choice and choice.winner)


def meant(view: View) -> tuple[Read, ...]:
    """Ingresses that have the host of the request, those that name it first."""
    named = [(rule.host, read) for read in view.reads for rule in read.ingress.spec.rules]
    exact = [read for host, read in named if host.lower() == view.request.name]
    wild = [read for host, read in named if host.startswith("*.") and _under(view.request.name, host)]
    return tuple({read.ingress.key: read for read in (*exact, *wild)}.values())


def _under(name: str, wildcard: str) -> bool:
    return name.partition(".")[2] == wildcard[2:].lower()


def for_path(view: View, read: Read, refusal: Refusal) -> bool:
    """Whether a refusal is about the path that was asked for."""
    if not refusal.path:
        return True
    host, slash, path = refusal.path.partition("/")
    kinds = {
        held.path: held.path_type
        for rule in read.ingress.spec.rules
        if rule.host == host
        for held in (rule.http.paths if rule.http else ())
    }
    whole = slash + path
    return view.request.path == whole or (kinds.get(whole) != "Exact" and view.request.path.startswith(whole))


def would_match(router: Router, view: View) -> bool:
    try:
        return evaluate(parse(router.rule), view.request).matched is True
    except (RuleError, ValueError):
        return view.request.name in router.rule


def host_matches(judged: Judged) -> bool:
    """Whether the rule names a host, and the host is not what fails."""
    try:
        rule = parse(judged.router.rule)
    except RuleError:
        return False
    hosts = [one for one in matchers(rule) if one.name in ("Host", "HostRegexp") and not one.negated]
    failing = {reason.matcher for reason in judged.why_not}
    return bool(hosts) and isinstance(rule, And | Matcher) and not failing & set(hosts)


def whole_ok(view: View) -> bool:
    return view.whole is not None and view.whole.ok


def seen(found: Exchange) -> tuple[Proof, ...]:
    return proof_of(found)


def about(view: View, read: Read) -> tuple[Proof, ...]:
    name = read.ingress.spec.ingress_class_name
    return proof(view.objects_answer, f"Ingress {read.ingress.key}, ingressClassName {name or 'not set'}")


def lines_with(text: str, *parts: str) -> list[str]:
    return [line for line in text.splitlines() if any(part in line for part in parts)]
