"""Runs all checks at once: their questions to one location travel together, and failing checks are retried."""

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

PAUSE = 0.7  # seconds between two attempts


@dataclass(frozen=True)
class Outcome:
    """How a check ended. found: what came back instead of the expected, '' when it passed.

    absent: why it does not apply here, '' when it does.
    unreachable: a location could not be asked.
    """

    found: str = ""
    unreachable: bool = False
    absent: str = ""

    @property
    def passed(self) -> bool:
        """Whether the check passed."""
        return self.found == ""


PASSED = Outcome()
STOPPED = Outcome("interrupted before it ended")


class Stopped(Exception):  # noqa: N818 - not an error: somebody asked for it
    """Thrown into checks that are cut short, so that they can remove what they created."""


@dataclass
class _Attempt:
    """One attempt at a set of checks: what waits for which place, and what was answered."""

    waiting: dict[str, dict[Ask, list[_Running]]] = field(default_factory=dict)
    answers: dict[Ask, Answer | ProvisionError] = field(default_factory=dict)
    ended: dict[str, Outcome] = field(default_factory=dict)


@dataclass
class _Running:
    check: Check
    body: Checking
    asked: Ask | Many | None = None

    @property
    def questions(self) -> tuple[Ask, ...]:
        """What it waits for."""
        if self.asked is None:
            return ()
        return self.asked.asks if isinstance(self.asked, Many) else (self.asked,)


def run_checks(
    checks: Sequence[Check],
    locations: Mapping[str, Location],
    *,
    retry_for: Callable[[Sequence[Check]], float],
    stop: threading.Event,
) -> dict[str, Outcome]:
    """Every check's outcome, by its identity.

    retry_for: called once with the checks that failed at first; returns for how many seconds to retry them.
    """
    outcomes: dict[str, Outcome] = {}
    left = list(checks)
    deadline: float | None = None
    with ThreadPoolExecutor(max(1, len(locations))) as pool:
        while True:
            outcomes |= _attempt(left, locations, pool, stop)
            left = [p for p in left if not outcomes[p.identity].passed]
            if not left or stop.is_set():
                return outcomes
            if deadline is None:
                deadline = time.monotonic() + retry_for(left)
            if time.monotonic() + PAUSE > deadline or stop.wait(PAUSE):
                return outcomes


def _attempt(
    checks: Sequence[Check], locations: Mapping[str, Location], pool: ThreadPoolExecutor, stop: threading.Event
) -> dict[str, Outcome]:
    attempt = _Attempt()
    for check in checks:
        _advance(attempt, _Running(check, check.start()))
    busy: dict[Future[Mapping[Any, Any]], tuple[str, list[Ask]]] = {}
    stopping = False
    while True:
        if stop.is_set() and not stopping:
            stopping = True
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
    """What has been answered meanwhile. The first Ctrl-C sets `stop`, so that checks remove what they created."""
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
    identity = running.check.identity
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
        attempt.ended[identity] = PASSED
    except Stopped:
        attempt.ended[identity] = STOPPED
    except NotHere as reason:
        attempt.ended[identity] = Outcome(absent=str(reason) or "it does not apply here")
    except AssertionError as broken:
        attempt.ended[identity] = Outcome(sentence_of(broken))
    except ProvisionError as failed:
        attempt.ended[identity] = Outcome(str(failed), unreachable=isinstance(failed, UnreachableError))
    except Exception as mistake:
        # retried like any other: what starts up still may answer in a shape that the check does not know
        attempt.ended[identity] = Outcome(_mistake(mistake))


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


def sentence_of(error: AssertionError) -> str:
    """The sentence of an assertion, without the comparison that pytest writes below it."""
    text = str(error)
    return text.partition("\nassert ")[0] or "the assertion failed"


def _cut(attempt: _Attempt, busy: set[str]) -> None:
    """Stop every check; what it asks in its `finally` is still asked."""
    everyone = {id(r): r for place in attempt.waiting.values() for who in place.values() for r in who}
    attempt.waiting = {place: {q: [] for q in asked} for place, asked in attempt.waiting.items() if place in busy}
    for running in everyone.values():
        _advance(attempt, running, Stopped())
