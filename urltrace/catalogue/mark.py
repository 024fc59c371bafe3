"""Whether a verdict is the one that a fault calls for."""

from __future__ import annotations

from typing import Literal

from urltrace.catalogue.fault import Fault, Pair, Says, named
from urltrace.evidence import Evidence
from urltrace.finding import Finding
from urltrace.verdict import Verdict, judge

Mark = Literal["right", "wrong", "missed", "false alarm"]


def mark(fault: Fault, verdict: Verdict) -> Mark:
    """right: the hop, the cause and the object are named. missed: nothing is."""
    if fault.says is None:
        alarmed = verdict.fault or verdict.latent or verdict.unexplained
        silent = {one.location for one in verdict.unasked} == set(fault.unasked)
        return "right" if not alarmed and silent else "false alarm"
    if fault.says.latent:
        found = next((one for one in verdict.latent if _is(fault.says, one)), None)
        if verdict.fault or not (found or verdict.latent):
            return "wrong" if verdict.fault else "missed"
    else:
        found = verdict.fault if verdict.fault and _is(fault.says, verdict.fault) else None
        if not verdict.fault:
            return "missed"
    named_wrongly = any(one.cause in fault.never for one in verdict.findings)
    return "right" if found and not named_wrongly else "wrong"


def mark_pair(pair: Pair, verdict: Verdict) -> Mark:
    """The first of the two is the verdict where it explains the answer, and the second is told as well."""
    first, second = named(pair.first).says, named(pair.second).says
    assert first
    assert second
    found = [any(_is(says, one) for one in verdict.findings) for says in (first, second)]
    leading = first.latent or bool(verdict.fault and _is(first, verdict.fault))
    if all(found) and leading:
        return "right"
    return "wrong" if verdict.findings else "missed"


def marked(name: str, evidence: Evidence) -> tuple[Mark, Verdict]:
    """The mark of a fault, or of a pair with a + between its names."""
    verdict = judge(evidence)
    first, plus, second = name.partition("+")
    return (mark_pair(Pair(first, second), verdict) if plus else mark(named(name), verdict)), verdict


def _is(says: Says, finding: Finding) -> bool:
    return finding.hop == says.hop and finding.cause in says.cause and says.words in finding.sentence
