"""The judgement: which hop is at fault, by what evidence, what to do, and what it is not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from provision.errors import Exit
from urltrace.evidence import OUTSIDE, Evidence, Host, Unasked
from urltrace.exchange import Exchange
from urltrace.finding import HOPS, TITLES, Cleared, Finding, Hop
from urltrace.rules import control, edge, link, name, node, pod, service, traefik
from urltrace.view import View

Rule = Callable[[View], Iterable[Finding]]
RULES: tuple[Rule, ...] = (
    *name.RULES,
    *edge.RULES,
    *link.RULES,
    *node.RULES,
    *traefik.RULES,
    *service.RULES,
    *pod.RULES,
    *control.RULES,
)
CLEARING: tuple[Callable[[View], Cleared | None], ...] = (
    name.cleared,
    edge.cleared,
    link.cleared,
    node.cleared,
    traefik.cleared,
    service.cleared,
    pod.cleared,
    control.cleared,
)
RUNNERS_UP = 2


@dataclass(frozen=True)
class Verdict:
    """fault: None when the URL answers, or nothing explains why it does not (`unexplained` then says what is known).

    others: what would fail next. latent: what is wrong and does not matter to this request. not_this: hops that were
    looked at and are right, the nearest first. unasked: who could not be asked; nothing was held against them.
    """

    answered: bool
    fault: Finding | None
    others: tuple[Finding, ...] = ()
    latent: tuple[Finding, ...] = ()
    not_this: tuple[Cleared, ...] = ()
    unasked: tuple[Unasked, ...] = ()
    unexplained: str = ""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All that was found: the fault, what would fail next, what is wrong besides."""
        return (*((self.fault,) if self.fault else ()), *self.others, *self.latent)

    @property
    def sentence(self) -> str:
        """The first line."""
        if self.fault:
            return self.fault.sentence
        if self.unasked:
            silent = "; ".join(f"{one.location} could not be asked ({one.why})" for one in self.unasked)
            return f"{silent}; {self.unexplained or 'what could be asked is right'}"
        slow = next((one for one in self.latent if one.cause == "pod-slow"), None)
        return self.unexplained or (f"it answers, and late: {slow.sentence}" if slow else "it answers as it should")

    @property
    def exit(self) -> Exit:
        """0 it answers · 1 a fault, named or not · 3 hosts could not be asked, and the rest shows no fault."""
        if self.fault or self.unexplained:
            return Exit.FAILED
        return Exit.UNREACHABLE if self.unasked else Exit.OK


def judge(evidence: Evidence, rules: Iterable[Rule] = RULES) -> Verdict:
    """The verdict. rules: in the order of the path; of findings at one hop the first rule's comes first."""
    view = View(evidence)
    every = (_of_standby(view, _of_drained(view, finding)) for rule in rules for finding in rule(view))
    found = sorted(_distinct(every), key=_place)
    faults = [finding for finding in found if not finding.latent]
    cleared = [one for clear in CLEARING if (one := clear(view))]
    whole = view.whole
    answered = whole is not None and whole.ok
    fault = faults[0] if faults else None
    return Verdict(
        answered=answered,
        fault=fault,
        others=tuple(faults[1:]),
        latent=tuple(finding for finding in found if finding.latent),
        not_this=tuple(_runners_up(fault, cleared)),
        unasked=evidence.unasked,
        unexplained="" if fault or answered else _boundary(view, whole, cleared),
    )


def _of_drained(view: View, finding: Finding) -> Finding:
    """What is wrong with a node that the edges leave out, as they do while it is changed, explains no answer."""
    out = frozenset(node.name for node in view.drained)
    return replace(finding, latent=True) if _only_about(finding, out, view.site.nodes) else finding


def _of_standby(view: View, finding: Finding) -> Finding:
    """What is wrong with an edge that waits to take the address over explains no answer of the one that has it."""
    if not view.holders or not view.whole or not view.whole.ok:
        return finding
    waiting = frozenset(edge.name for edge in view.site.edges) - {*view.holders}
    return replace(finding, latent=True) if _only_about(finding, waiting, view.site.edges) else finding


def _only_about(finding: Finding, some: frozenset[str], every: Iterable[Host]) -> bool:
    """Whether a finding names some of these hosts, and none of the others."""
    said = f"{finding.where} {finding.sentence}"
    named = {host.name for host in every if host.name in said}
    return bool(named) and named <= some


def _distinct(findings: Iterable[Finding]) -> Iterator[Finding]:
    """One finding for a cause at a place."""
    seen: set[tuple[str, str]] = set()
    for finding in findings:
        if (finding.cause, finding.where) not in seen:
            seen.add((finding.cause, finding.where))
            yield finding


def _place(finding: Finding) -> int:
    return HOPS.index(finding.hop)


def _runners_up(fault: Finding | None, cleared: Iterable[Cleared]) -> list[Cleared]:
    """The hops nearest to the fault that are right; a hop with a fault is never called right."""
    at = HOPS.index(fault.hop) if fault else len(HOPS)
    others = [one for one in cleared if fault is None or one.hop != fault.hop]
    return sorted(others, key=lambda one: abs(HOPS.index(one.hop) - at))[:RUNNERS_UP]


def _boundary(view: View, whole: Exchange | None, cleared: Iterable[Cleared]) -> str:
    """What is known when no rule explains it: the last hop that is right."""
    right: list[Hop] = [one.hop for one in cleared]
    said = f"from the client: {whole}" if whole else "the client could not be asked"
    last = next((hop for hop in reversed(HOPS[:-1]) if hop in right), None)
    until = f"; {TITLES[last]} is right" if last else ""
    return f"it does not answer as it should ({said}), and no rule says why{until}{_last_seen(view)}"


def _last_seen(view: View) -> str:
    """The last hop that has written down the client's own request: it got that far.

    Most applications write no headers: a pod whose log is silent may have got it all the same.
    """
    for answer in view.evidence.about("pod logs"):
        for line in answer.output.splitlines():
            name, _, who = line.partition(" from ")
            if who == OUTSIDE and name in view.serving_pods:
                return f"; pod {name} on {answer.location} has got it, as its own log tells"
    for host in view.site.nodes:
        for one in view.logged(host):
            if one.who == OUTSIDE:
                return f"; Traefik on {host.name} has got it, and answered {one.status} (server {one.server})"
    written = next((answer for answer in view.evidence.about("log access") if answer.output), None)
    return f"; nginx on {written.location} has got it" if written else ""
