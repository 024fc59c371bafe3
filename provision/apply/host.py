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
from provision.history.prune import RemovalsQuestion, left, removals
from provision.plan.plan import (
    Declaration,
    HostPlan,
    Item,
    change_shown,
    check_platform,
    compare,
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

PROBE_TIMEOUT = 60.0


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


def pruned(
    session: Session, plan: HostPlan, everywhere: Callable[[], Sequence[Declaration]], play: int, prune: bool
) -> HostPlan:
    """The plan with what no role declares any more: listed, or with `prune` taken away as play number `play`.

    everywhere: what is declared for any host of the inventory.
    """
    mine = tuple(item.declaration for item in plan.items)
    gone = left(plan.managed, mine)
    if not gone:
        return plan
    remembered = answer(session, [RemovalsQuestion()])[RemovalsQuestion()]
    declarations = removals(gone, remembered, mine, everywhere, play)
    answers = answer(session, questions(declarations))
    items = tuple(item for item in compare(declarations, answers) if not item.as_declared)
    if not prune:
        return replace(plan, left=tuple(item.declaration for item in items))
    return replace(plan, items=(*plan.items, *items), seen={**plan.seen, **seen(items, answers)})


def require_fresh_plan(session: Session, plan: HostPlan) -> None:
    """Asks everything again, now that nobody else may change it. Raises FailedError when the plan is stale."""
    declarations = tuple(item.declaration for item in plan.items)
    answers = answer(session, questions(declarations))
    stale = stale_keys(plan.seen, seen(compare(declarations, answers), answers))
    if stale:
        raise StaleError(
            "the host has changed since the plan was made: nothing was changed on any host",
            found=f"Somebody or something changed {listed(stale, 6)}",
            do="Look at the new plan (invoke plan), then deploy again",
        )


class StaleError(FailedError):
    """What was planned rests on a state that is no more; exit 1."""


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
    """Makes the items so, in order, and yields each that was made. `before` is called with each that is about to be;
    `around` makes of its step the one that is run; `afresh` runs a step over a connection of its own.

    Raises FailedError at the first that won't, with role and line, and Interrupted between two steps.
    """
    changed: set[str] = set()
    for item in items:
        if stop.is_set():
            raise Interrupted
        change = _pending(session, item, changed)
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
    """Looks again at items that could not be known when the plan was made: those as declared are now known to be.

    Raises FailedError when the first of them still can't be known.
    """
    answers = answer(session, dict.fromkeys(q for item in items for q in item.resource.questions()))
    outcomes = [outcome_of(item.declaration, answers, set()) for item in items]
    if isinstance(outcomes[0], Unknown):
        raise _still(items[0], outcomes[0])
    return tuple(
        replace(item, outcome=AS_DECLARED) if outcome == AS_DECLARED else item
        for item, outcome in zip(items, outcomes, strict=True)
    )


def _pending(session: Session, item: Item, changed: set[str]) -> Change | None:
    """The change to make now. What was deferred, or follows a change of this run, is asked again first."""
    follows = any(r.key in changed for r in dependencies_of(item.resource))
    if isinstance(item.outcome, Change):
        return item.outcome
    if item.as_declared and not follows:
        return None
    answers = answer(session, item.resource.questions())
    outcome = outcome_of(item.declaration, answers, changed)
    if isinstance(outcome, Unknown):
        raise _still(item, outcome)
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
    step = item.resource.fix(change)
    owing = [
        i.resource.stamp for i in items if isinstance(i.resource, Dependent) and i.resource.stamp and _depends(i, item)
    ]
    if owing and change.triggers_dependents:
        # said on the host before the first file changes: a cut connection never loses a restart
        step = replace(step, script="".join(clear_stamp(stamp) for stamp in owing) + step.script)
    result = session.run(around(step, item))
    if result.code != 0:
        raise _failed(item, f"{change.summary}: failed", _said(result, step), _remedy(result))
    if keep := confirm_step(item.resource, change):
        kept = fresh_connection(keep)
        if kept.code != 0:
            raise _failed(item, f"{change.summary}: done, but not kept", _said(kept, keep), "Run again")
    after = outcome_of(item.declaration, answer(session, item.resource.questions()), set())
    if isinstance(after, Change):
        raise _failed(
            item,
            f"{change.summary}: done, but the host does not read as declared",
            after.summary,
            "Something else on the host changes it back, or the declaration contradicts itself",
        )


def _still(item: Item, outcome: Unknown) -> FailedError:
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
    return next((remedy for said, remedy in REMEDIES.items() if said in result.errors), "")


def _failed(item: Item, what: str, found: str, do: str) -> FailedError:
    declaration = item.declaration
    parts = declaration.redactor.cleaned_all({"what": what, "found": found, "do": do})
    return FailedError(role=declaration.role, line=declaration.line, **parts)
