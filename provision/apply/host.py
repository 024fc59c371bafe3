"""The plan of one host, and whether it still holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from provision.apply.failures import still_unknown
from provision.errors import FailedError
from provision.facts.gather import answer
from provision.facts.managed import ManagedQuestion
from provision.plan.plan import (
    Declaration,
    HostPlan,
    Item,
    StaleError,
    check_platform,
    compare,
    decisive,
    evidence,
    explained,
    outcome_of,
    questions,
    seen,
    stale_keys,
)
from provision.remote.connection import Session
from provision.resources.base import AS_DECLARED, Unknown
from provision.resources.configset.drain import Drainer
from provision.spelling import listed
from provision.usage import usage


def plan(session: Session, host: str, declarations: Sequence[Declaration]) -> HostPlan:
    """What differs on a host: one step, and a second one for diffs only when something does."""
    answers = answer(session, questions(declarations))
    check_platform(host, answers)
    items = compare(declarations, answers)
    more = evidence(items)
    shown = explained(items, {**answers, **answer(session, more)})
    drainers = [item.resource for item in items if isinstance(item.resource, Drainer)]
    drained = {target: run for each in drainers for target, run in each.drained_now(answers).items()}
    return HostPlan(
        host, shown, seen(items, answers), tuple(sorted(drained.items())), managed=answers[ManagedQuestion()]
    )


def require_fresh_plan(session: Session, plan: HostPlan) -> None:
    """Asks again what the plan depends on, now that the host is locked.

    Raises StaleError when the plan does not hold any more.
    """
    asked = decisive(plan.items)
    answers = answer(session, dict.fromkeys(question for item in asked for question in item.resource.questions()))
    now = seen(compare([item.declaration for item in asked], answers), answers)
    stale = stale_keys({item.resource.key: plan.seen[item.resource.key] for item in asked}, now)
    if stale:
        raise StaleError(
            "the host has changed since the plan was made: nothing was changed on any host",
            found=f"Somebody or something changed {listed(stale, 6)}",
            do=f"Look at the new plan ({usage('plan')}), then deploy again",
        )


def require_as_declared(session: Session, plan: HostPlan) -> None:
    """Asks everything again at the end of a run. Raises FailedError for the first resource that is not as declared."""
    declarations = tuple(item.declaration for item in plan.items)
    for item in compare(declarations, answer(session, questions(declarations))):
        if not item.as_declared:
            raise FailedError(
                f"{item.resource.key} was as declared, and is not any more at the end of the run",
                role=item.declaration.role,
                line=item.declaration.line,
                found=item.summary,
                do="Something changed it meanwhile: a host that went away, somebody else, another change of this run. "
                "Run again; if it comes back, two declarations contradict each other",
            )


def reevaluate_unknown(session: Session, items: Sequence[Item]) -> tuple[Item, ...]:
    """Asks again about items that could not be known when the plan was made, and marks those that are as declared.

    Raises FailedError when the first of them still can't be known.
    """
    answers = answer(session, dict.fromkeys(q for item in items for q in item.resource.questions()))
    outcomes = [outcome_of(item.declaration, answers, set()) for item in items]
    if isinstance(outcomes[0], Unknown):
        raise still_unknown(items[0], outcomes[0])
    return tuple(
        replace(item, outcome=AS_DECLARED) if outcome == AS_DECLARED else item
        for item, outcome in zip(items, outcomes, strict=True)
    )
