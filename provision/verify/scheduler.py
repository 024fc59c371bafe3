"""Runs all checks at once: whatever they ask of one place goes there together, and failing ones are asked again."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from provision.errors import ProvisionError, UnreachableError
from provision.verify.checks import Check, Checking, Many, NotHere
from provision.verify.commands import Answer, Ask
from provision.verify.locations import Location

PAUSE = 0.7  # seconds between two attempts at what is not yet as promised


@dataclass(frozen=True)
class Outcome:
    """How a check ended. found: what came back instead of what was promised, '' when it holds.

    absent: why it means nothing here, '' when it does.
    unreachable: a place could not be asked. fault: the check itself is wrong, `found` says where.
    """

    found: str = ""
    unreachable: bool = False
    fault: bool = False
    absent: str = ""

    @property
    def holds(self) -> bool:
        """Whether the promise is kept."""
        return self.found == ""


HOLDS = Outcome()
STOPPED = Outcome("not asked to the end: interrupted")


class Stopped(Exception):  # noqa: N818 - not an error: somebody asked for it
    """Thrown into checks that are cut short, so that they can take back what they made."""


@dataclass
class _Attempt:
    """One attempt at a set of checks: what waits for which place, and what was answered."""

    waiting: dict[str, dict[Ask, list[_Running]]] = field(default_factory=dict)
    answers: dict[Ask, Answer | ProvisionError] = field(default_factory=dict)
    ended: dict[str, Outcome] = field(default_factory=dict)


@dataclass
class _Running:
    promise: Check
    body: Checking
    asked: Ask | Many | None = None

    @property
    def questions(self) -> tuple[Ask, ...]:
        """What it waits for."""
        if self.asked is None:
            return ()
        return self.asked.asks if isinstance(self.asked, Many) else (self.asked,)


def run_checks(
    promises: Sequence[Check],
    locations: Mapping[str, Location],
    *,
    patience: Callable[[Sequence[Check]], float],
    stop: threading.Event,
) -> dict[str, Outcome]:
    """Every promise's outcome, by its identity.

    patience: called once with what did not hold at first; for so many seconds more it is asked again.
    """
    outcomes: dict[str, Outcome] = {}
    left = list(promises)
    deadline: float | None = None
    with ThreadPoolExecutor(max(1, len(locations))) as pool:
        while True:
            outcomes |= _attempt(left, locations, pool, stop)
            left = [p for p in left if not (outcomes[p.identity].holds or outcomes[p.identity].fault)]
            if not left or stop.is_set():
                return outcomes
            if deadline is None:
                deadline = time.monotonic() + patience(left)
            if time.monotonic() + PAUSE > deadline or stop.wait(PAUSE):
                return outcomes


def _attempt(
    promises: Sequence[Check], locations: Mapping[str, Location], pool: ThreadPoolExecutor, stop: threading.Event
) -> dict[str, Outcome]:
    attempt = _Attempt()
    for promise in promises:
        _advance(attempt, _Running(promise, promise.start()))
    busy: dict[Future[Mapping[Any, Any]], tuple[str, list[Ask]]] = {}
    told = False
    while True:
        if stop.is_set() and not told:
            told = True
            _cut(attempt, {place for place, _ in busy.values()})
        idle = set(attempt.waiting) - {place for place, _ in busy.values()}
        for place in idle:
            asked = list(attempt.waiting[place])
            busy[pool.submit(_ask, locations, place, asked)] = (place, asked)
        if not busy:
            return attempt.ended
        for done in _finished(busy, stop):
            place, asked = busy.pop(done)
            _deliver(attempt, place, asked, done.result())


def _finished(busy: Mapping[Future[Mapping[Any, Any]], object], stop: threading.Event) -> set[Any]:
    """What has been answered meanwhile. The first Ctrl-C sets `stop`, so that checks take back what they made."""
    try:
        return set(wait(busy, timeout=0.2, return_when=FIRST_COMPLETED).done)
    except KeyboardInterrupt:
        if stop.is_set():
            raise
        stop.set()
        return set()


def _ask(locations: Mapping[str, Location], place: str, asked: Sequence[Ask]) -> Mapping[Any, Any]:
    """Answers, or for each question the error that kept it from being asked."""
    try:
        return locations[place].answers(asked)
    except ProvisionError as error:
        return dict.fromkeys(asked, error)


def _deliver(attempt: _Attempt, place: str, asked: Sequence[Ask], answers: Mapping[Any, Any]) -> None:
    waiting = attempt.waiting.pop(place)
    later = {question: who for question, who in waiting.items() if question not in answers}
    if later:
        attempt.waiting[place] = later
    attempt.answers |= {question: answers[question] for question in asked}
    for running in {id(r): r for question in asked for r in waiting[question]}.values():
        _resume(attempt, running)


def _resume(attempt: _Attempt, running: _Running) -> None:
    """Let a check go on if everything that it asked has been answered."""
    found = [attempt.answers.get(question) for question in running.questions]
    if None not in found:
        _advance(attempt, running)


def _advance(attempt: _Attempt, running: _Running, error: Exception | None = None) -> None:
    """Let a check go on until it asks what nobody has asked yet, or ends. error: thrown into it."""
    identity = running.promise.identity
    try:
        while True:
            running.asked = _step(attempt, running, error)
            error = None
            unknown = [question for question in running.questions if question not in attempt.answers]
            for question in unknown:
                attempt.waiting.setdefault(question.location, {}).setdefault(question, []).append(running)
            if unknown:
                return
    except StopIteration:
        attempt.ended[identity] = HOLDS
    except Stopped:
        attempt.ended[identity] = STOPPED
    except NotHere as reason:
        attempt.ended[identity] = Outcome(absent=str(reason) or "it means nothing here")
    except AssertionError as broken:
        attempt.ended[identity] = Outcome(said(broken))
    except ProvisionError as failed:
        attempt.ended[identity] = Outcome(str(failed), unreachable=isinstance(failed, UnreachableError))
    except Exception as mistake:
        attempt.ended[identity] = Outcome(_mistake(mistake), fault=True)


def _step(attempt: _Attempt, running: _Running, error: Exception | None) -> Ask | Many:
    """What the check asks next. Raises StopIteration at its end, and whatever it raises."""
    found = [attempt.answers[question] for question in running.questions] if error is None else []
    error = error or next((answer for answer in found if isinstance(answer, ProvisionError)), None)
    if error is not None:
        return running.body.throw(error)
    if running.asked is None:
        return next(running.body)
    answers = [answer for answer in found if isinstance(answer, Answer)]
    if isinstance(running.asked, Many):
        running.asked.answers = answers
    return running.body.send(answers[0])


def _mistake(error: Exception) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"the check itself is wrong: {type(error).__name__}: {error} ({Path(frame.filename).name}:{frame.lineno})"


def said(error: AssertionError) -> str:
    """The sentence of an assertion, without the comparison that pytest writes below it."""
    text = str(error)
    return text.partition("\nassert ")[0] or "it does not hold"


def _cut(attempt: _Attempt, busy: set[str]) -> None:
    """Tell every check that nobody waits for its answer any more; what it asks in its `finally` is still asked."""
    everyone = {id(r): r for place in attempt.waiting.values() for who in place.values() for r in who}
    attempt.waiting = {place: {q: [] for q in asked} for place, asked in attempt.waiting.items() if place in busy}
    for running in everyone.values():
        _advance(attempt, running, Stopped())
