"""One host, start to end: ask, compare, change what differs, read it back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from provision.apply.events import ChangeDone, ChangeStarted, Listener
from provision.errors import FailedError
from provision.facts.gather import answer
from provision.facts.managed import ManagedQuestion
from provision.facts.question import Answers
from provision.plan.plan import (
    Declaration,
    HostPlan,
    Item,
    StaleError,
    change_shown,
    check_platform,
    compare,
    errors_of,
    evidence,
    explained,
    outcome_of,
    questions,
    seen,
    stale_keys,
)
from provision.remote.connection import Session
from provision.remote.protocol import Step, StepResult
from provision.resources.base import AS_DECLARED, Change, Unknown
from provision.resources.configset.drain import Drainer
from provision.resources.optional.confirmable import confirm_step
from provision.resources.optional.dependent import Dependent, clear_stamp, dependencies_of
from provision.resources.optional.explainable import evidence_for
from provision.spelling import listed
from provision.usage import usage


class Interrupted(Exception):  # noqa: N818 - not an error: somebody asked for it
    """The run was asked to stop, and stopped between two steps."""


@dataclass(frozen=True)
class Applied:
    """A change that was made and read back."""

    item: Item
    seconds: float


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
    """Asks everything again, now that the host is locked. Raises StaleError when the plan does not hold any more."""
    items, answers = _compared_again(session, plan)
    stale = stale_keys(plan.seen, seen(items, answers))
    if stale:
        raise StaleError(
            "the host has changed since the plan was made: nothing was changed on any host",
            found=f"Somebody or something changed {listed(stale, 6)}",
            do=f"Look at the new plan ({usage('plan')}), then deploy again",
        )


def require_as_declared(session: Session, plan: HostPlan) -> None:
    """Asks everything again at the end of a run. Raises FailedError for the first resource that is not as declared."""
    items, _ = _compared_again(session, plan)
    for item in items:
        if not item.as_declared:
            raise FailedError(
                f"{item.resource.key} was as declared, and is not any more at the end of the run",
                role=item.declaration.role,
                line=item.declaration.line,
                found=item.summary,
                do="Something changed it meanwhile: a host that went away, somebody else, another change of this run. "
                "Run again; if it comes back, two declarations contradict each other",
            )


def _compared_again(session: Session, plan: HostPlan) -> tuple[tuple[Item, ...], Answers]:
    declarations = tuple(item.declaration for item in plan.items)
    answers = answer(session, questions(declarations))
    return compare(declarations, answers), answers


def apply(
    session: Session,
    host: str,
    items: Sequence[Item],
    emit: Listener,
    stop: threading.Event,
    before: Callable[[Item], None] = lambda _: None,
    around: Callable[[Step, Item], Step] = lambda step, _: step,
    fresh_connection: Callable[[Step], StepResult] | None = None,
) -> Iterator[Applied]:
    """Changes the items in order, and yields each that was changed.

    before: called with each item before it is changed. around: makes of its step the one that is run.
    fresh_connection: runs a step over a connection of its own.
    Raises FailedError, with role and line, at the first item that fails, and Interrupted between two steps.
    """
    changed: set[str] = set()
    for item in items:
        if stop.is_set():
            raise Interrupted
        change = _change_now(session, item, changed)
        if change is None:
            continue
        item = replace(item, outcome=change)
        emit(ChangeStarted(host, item))
        began = time.monotonic()
        before(item)
        _fix(session, item, change, items, around, fresh_connection or session.run)
        if change.triggers_dependents:
            changed.add(item.resource.key)
        seconds = time.monotonic() - began
        emit(ChangeDone(host, item, seconds))
        yield Applied(item, seconds)


def reevaluate_unknown(session: Session, items: Sequence[Item]) -> tuple[Item, ...]:
    """Asks again about items that could not be known when the plan was made, and marks those that are as declared.

    Raises FailedError when the first of them still can't be known.
    """
    answers = answer(session, dict.fromkeys(q for item in items for q in item.resource.questions()))
    outcomes = [outcome_of(item.declaration, answers, set()) for item in items]
    if isinstance(outcomes[0], Unknown):
        raise _still_unknown(items[0], outcomes[0])
    return tuple(
        replace(item, outcome=AS_DECLARED) if outcome == AS_DECLARED else item
        for item, outcome in zip(items, outcomes, strict=True)
    )


def _change_now(session: Session, item: Item, changed: set[str]) -> Change | None:
    """The change to make now. What was unknown, or depends on a change of this run, is asked again first."""
    depends = any(r.key in changed for r in dependencies_of(item.resource))
    if isinstance(item.outcome, Change):
        return item.outcome
    if item.as_declared and not depends:
        return None
    answers = answer(session, item.resource.questions())
    outcome = outcome_of(item.declaration, answers, changed)
    if isinstance(outcome, Unknown):
        raise _still_unknown(item, outcome)
    if not isinstance(outcome, Change):
        return None
    more = evidence_for(item.resource, outcome)
    return change_shown(item.declaration, outcome, {**answers, **answer(session, more)})


def _fix(
    session: Session,
    item: Item,
    change: Change,
    items: Sequence[Item],
    around: Callable[[Step, Item], Step],
    fresh_connection: Callable[[Step], StepResult],
) -> None:
    with errors_of(item.declaration):
        step = item.resource.fix(change)
    stamps = [
        i.resource.stamp for i in items if isinstance(i.resource, Dependent) and i.resource.stamp and _depends(i, item)
    ]
    if stamps and change.triggers_dependents:
        # cleared before the first file changes: a cut connection never loses a restart
        step = replace(step, script="".join(clear_stamp(stamp) for stamp in stamps) + step.script)
    result = session.run(around(step, item))
    if result.code != 0:
        raise _failed(item, f"{change.summary}: failed", _said(result, step), _remedy(result))
    if confirm := confirm_step(item.resource, change):
        confirmed = fresh_connection(confirm)
        if confirmed.code != 0:
            raise _failed(item, f"{change.summary}: done, but not kept", _said(confirmed, confirm), "Run again")
    after = outcome_of(item.declaration, answer(session, item.resource.questions()), set())
    if isinstance(after, Change):
        raise _failed(
            item,
            f"{change.summary}: done, but the host does not read as declared",
            after.summary,
            "Something else on the host changes it back, or the declaration contradicts itself",
        )


def _still_unknown(item: Item, outcome: Unknown) -> FailedError:
    return _failed(item, "could not be looked at", f"still waiting: {outcome.until}", "")


def _depends(later: Item, item: Item) -> bool:
    return any(r.key == item.resource.key for r in dependencies_of(later.resource))


def _said(result: StepResult, step: Step) -> str:
    if result.timed_out:
        return f"it took longer than {step.timeout:.0f} s. {_last(result.errors)}"
    return _last(result.errors) or _last(result.output) or f"exit code {result.code}"


def _last(text: str, lines: int = 20) -> str:
    return "\n".join(text.strip().splitlines()[-lines:])


REMEDIES = {
    "No space left on device": "Free space on the host (df -h; journalctl --vacuum-size=100M) and run again",
    "Read-only file system": "The file system is mounted read-only: look at dmesg and remount it, then run again",
    "Could not get lock": "Another apt is at work: wait for it to end (ps aux | grep apt), then run again",
    "invalid user": "Create the user first, or correct owner in the role",
    "invalid group": "Create the group first, or correct group in the role",
}


def _remedy(result: StepResult) -> str:
    return next((remedy for message, remedy in REMEDIES.items() if message in result.errors), "")


def _failed(item: Item, what: str, found: str, do: str) -> FailedError:
    declaration = item.declaration
    parts = declaration.redactor.cleaned_all({"what": what, "found": found, "do": do})
    return FailedError(role=declaration.role, line=declaration.line, **parts)
