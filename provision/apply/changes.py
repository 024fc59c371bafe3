"""The changes of one host: made in order, each read back before it is called done.

What only writes a small file, and its like, shares a frame with the changes around it (provision/apply/batch.py). The
question that reads back follows its change in the same breath: the host has it when the change is made.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from provision.apply.batch import Batch, full
from provision.apply.events import ChangeDone, ChangeStarted, Listener
from provision.apply.failures import failed, remedy, said, still_unknown
from provision.facts.gather import Probe, answer
from provision.facts.question import Answers
from provision.plan.plan import Item, change_shown, errors_of, outcome_of
from provision.remote.connection import Session
from provision.remote.protocol import Step, StepResult
from provision.resources.base import Change, Unknown
from provision.resources.optional.confirmable import Confirmable, confirm_step
from provision.resources.optional.dependent import Dependent, clear_stamp, dependencies_of
from provision.resources.optional.explainable import evidence_for


class Interrupted(Exception):  # noqa: N818 - not an error: somebody asked for it
    """The run was asked to stop, and stopped between two steps."""


@dataclass(frozen=True)
class Applied:
    """A change that was made and read back."""

    item: Item
    seconds: float


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
    changes = _Changes(session, host, items, emit, around, fresh_connection or session.run)
    for item in items:
        if stop.is_set():
            yield from changes.flush()
            raise Interrupted
        if changes.waited_for(item):
            yield from changes.flush()
        change = changes.needed(item)
        if change is None:
            continue
        item = replace(item, outcome=change)
        step = changes.step(item, change)
        if not changes.joins(item, step):
            yield from changes.flush()
        emit(ChangeStarted(host, item))
        before(item)
        changes.add(item, step)
        if not step.brief:
            yield from changes.flush()
    yield from changes.flush()


@dataclass(frozen=True)
class _Pending:
    """A change that is announced and not made yet."""

    item: Item
    step: Step
    began: float = field(default_factory=time.monotonic)


class _Changes:
    """The changes of one host in one play: those that were made, and those that wait to share a frame."""

    def __init__(
        self,
        session: Session,
        host: str,
        items: Sequence[Item],
        emit: Listener,
        around: Callable[[Step, Item], Step],
        fresh_connection: Callable[[Step], StepResult],
    ) -> None:
        self._session = session
        self._host = host
        self._items = items
        self._emit = emit
        self._around = around
        self._fresh_connection = fresh_connection
        self._changed: set[str] = set()
        self._pending: list[_Pending] = []

    def waited_for(self, item: Item) -> bool:
        """Whether this item has to be asked about, and so has to see what is pending."""
        keys = {pending.item.resource.key for pending in self._pending}
        return bool(keys) and not isinstance(item.outcome, Change) and (not item.as_declared or _depends(item, keys))

    def needed(self, item: Item) -> Change | None:
        """The change to make now. What was unknown, or depends on a change of this run, is asked again first."""
        if isinstance(item.outcome, Change):
            return item.outcome
        if item.as_declared and not _depends(item, self._changed):
            return None
        answers = answer(self._session, item.resource.questions())
        outcome = outcome_of(item.declaration, answers, self._changed)
        if isinstance(outcome, Unknown):
            raise still_unknown(item, outcome)
        if not isinstance(outcome, Change):
            return None
        more = evidence_for(item.resource, outcome)
        return change_shown(item.declaration, outcome, {**answers, **answer(self._session, more)})

    def step(self, item: Item, change: Change) -> Step:
        """What makes the change; first it clears the stamps of what has to follow it."""
        with errors_of(item.declaration):
            step = item.resource.fix(change)
        key = {item.resource.key}
        stamps = [
            other.resource.stamp
            for other in self._items
            if isinstance(other.resource, Dependent) and other.resource.stamp and _depends(other, key)
        ]
        if stamps and change.triggers_dependents:
            # cleared before the first file changes: a cut connection never loses a restart
            step = replace(step, script="".join(map(clear_stamp, stamps)) + step.script)
        return replace(step, brief=step.brief and not isinstance(item.resource, Confirmable))

    def joins(self, item: Item, step: Step) -> bool:
        """Whether this step goes with those that wait."""
        return step.brief and not full([pending.step for pending in self._pending])

    def add(self, item: Item, step: Step) -> None:
        """The step is the next one to be made."""
        self._pending.append(_Pending(item, step))

    def flush(self) -> Iterator[Applied]:
        """Makes what waits, and yields what was made and read back. Raises FailedError at the first that failed."""
        pending, self._pending = self._pending, []
        if not pending:
            return
        batch = Batch.of([self._around(each.step, each.item) for each in pending])
        read_back = Probe.of(question for each in pending for question in each.item.resource.questions())
        result, state = self._made(pending[0].item, batch.step, read_back.step)
        done = batch.done(result)
        answers = read_back.read(state) if done else {}
        for each in pending[:done]:
            yield self._done(each, answers)
        if done < len(pending):
            item = pending[done].item
            raise failed(item, f"{_summary(item)}: failed", said(batch.of_failed(result), batch.step), remedy(result))

    def _made(self, item: Item, step: Step, read_back: Step) -> tuple[StepResult, StepResult]:
        """How the step ended, and what the host is like after it. item: the only one, where it wants confirmation."""
        if not isinstance(item.resource, Confirmable):
            result, state = self._session.run_in_turn(step, read_back)
            return result, state
        result = self._session.run(step)
        assert isinstance(item.outcome, Change)
        confirm = confirm_step(item.resource, item.outcome) if result.code == 0 else None
        if confirm:
            confirmed = self._fresh_connection(confirm)
            if confirmed.code != 0:
                raise failed(item, f"{_summary(item)}: done, but not kept", said(confirmed, confirm), "Run again")
        return result, self._session.run(read_back)

    def _done(self, made: _Pending, answers: Answers) -> Applied:
        item, change = made.item, made.item.outcome
        after = outcome_of(item.declaration, answers, set())
        if isinstance(after, Change):
            raise failed(
                item,
                f"{_summary(item)}: done, but the host does not read as declared",
                after.summary,
                "Something else on the host changes it back, or the declaration contradicts itself",
            )
        if isinstance(change, Change) and change.triggers_dependents:
            self._changed.add(item.resource.key)
        seconds = time.monotonic() - made.began
        self._emit(ChangeDone(self._host, item, seconds))
        return Applied(item, seconds)


def _depends(item: Item, keys: set[str]) -> bool:
    return any(resource.key in keys for resource in dependencies_of(item.resource))


def _summary(item: Item) -> str:
    return item.outcome.summary if isinstance(item.outcome, Change) else ""
