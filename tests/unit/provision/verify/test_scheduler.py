"""Checks ask together, are retried for a while, and clean up whatever happens to them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from provision.errors import UnreachableError
from provision.facts.question import Question
from provision.verify.checks import Check, Checking, Place
from provision.verify.commands import Answer, Ask, Reply, http
from provision.verify.locations import LocalLocation, Location
from provision.verify.scheduler import Outcome, run_checks

HERE, THERE = Place("here"), Place("there")


class Recorded:
    """A place whose answers are a function of the command, and that writes down each batch."""

    def __init__(self, reply: Callable[[str], Answer] = lambda command: Answer(0, command)) -> None:
        self._reply = reply
        self.batches: list[list[str]] = []

    def answers(self, asked: Iterable[Question]) -> Mapping[Any, Any]:
        questions = [q for q in asked if isinstance(q, Ask)]
        self.batches.append(sorted(q.command for q in questions))
        return {q: self._reply(q.command) for q in questions}

    def close(self) -> None: ...


class Gone:
    """A place that can't be reached."""

    def answers(self, asked: Iterable[Question]) -> Mapping[Any, Any]:
        raise UnreachableError("could not log in", host="there")

    def close(self) -> None: ...


def outcomes(
    bodies: Mapping[str, Callable[[], Checking]], locations: Mapping[str, Location], retry_for: float = 0.0
) -> dict[str, Outcome]:
    checks = [Check(name, "here", name, start) for name, start in bodies.items()]
    return run_checks(checks, locations, retry_for=lambda _: retry_for, stop=threading.Event())


def asking(*commands: str, place: Place = HERE, expect: str = "") -> Callable[[], Checking]:
    def body() -> Checking:
        for command in commands:
            answer = yield place.sh(command)
            assert answer.text == (expect or command), f"{command} gave {answer}"

    return body


def test_what_all_checks_ask_of_a_place_travels_together_and_once() -> None:
    here = Recorded()
    found = outcomes({"a": asking("x", "z"), "b": asking("y", "z"), "c": asking("x")}, {"here": here})
    assert all(outcome.passed for outcome in found.values())
    assert here.batches == [["x", "y"], ["z"]]


def test_a_broken_promise_says_what_came_back() -> None:
    found = outcomes({"a": asking("x", expect="17")}, {"here": Recorded()})
    assert found["a"] == Outcome("x gave 'x'")


def test_a_place_that_is_gone_breaks_only_the_checks_that_ask_there() -> None:
    found = outcomes({"a": asking("x"), "b": asking("x", place=THERE)}, {"here": Recorded(), "there": Gone()})
    assert found["a"].passed
    assert found["b"].unreachable
    assert "could not log in" in found["b"].found


def test_what_is_not_yet_so_is_asked_again_and_nothing_else() -> None:
    turns = iter(["starting", "ready"])
    here = Recorded(lambda command: Answer(0, next(turns) if command == "slow" else command))
    found = outcomes({"a": asking("slow", expect="ready"), "b": asking("x")}, {"here": here}, retry_for=5)
    assert found["a"].passed
    assert here.batches == [["slow", "x"], ["slow"]]


def test_a_check_that_fails_still_takes_back_what_it_made() -> None:
    def body() -> Checking:
        yield HERE.sh("make")
        try:
            answer = yield HERE.sh("look")
            assert answer.text == "17", "not 17"
        finally:
            yield HERE.sh("take back")

    here = Recorded()
    assert outcomes({"a": body}, {"here": here})["a"].found == "not 17"
    assert here.batches == [["make"], ["look"], ["take back"]]


def test_an_interrupted_check_takes_back_what_it_made() -> None:
    stop = threading.Event()

    def reply(command: str) -> Answer:
        if command == "make":
            stop.set()
        return Answer(0, command)

    def body() -> Checking:
        try:
            yield HERE.sh("make")
            yield HERE.sh("look")
        finally:
            yield HERE.sh("take back")

    here = Recorded(reply)
    found = run_checks([Check("a", "here", "a", body)], {"here": here}, retry_for=lambda _: 0.0, stop=stop)
    assert not found["a"].passed
    assert here.batches[-1] == ["take back"]


def test_a_check_that_stumbles_over_an_answer_is_asked_again() -> None:
    answers = iter(["null", '{"providers": []}'])

    def body() -> Checking:
        answer = yield HERE.sh("x")
        answer.json["providers"]

    here = Recorded(lambda _: Answer(0, next(answers)))
    assert outcomes({"a": body}, {"here": here}, retry_for=30)["a"].passed
    assert len(here.batches) == 2


def test_a_mistake_in_a_check_is_told_with_its_place() -> None:
    def body() -> Checking:
        answer = yield HERE.sh("x")
        answer.nothing_of_this_name  # type: ignore[attr-defined] # noqa: B018

    found = outcomes({"a": body}, {"here": Recorded()})["a"].found
    assert "the check itself is wrong: AttributeError" in found
    assert "test_scheduler.py:" in found


def test_commands_of_a_place_run_side_by_side_and_none_waits_for_ever() -> None:
    asked = [Ask("here", "sleep 9", 0.3), Ask("here", "printf 'a\\nb,c'; echo no >&2; exit 3"), Ask("here", "cat")]
    answers = LocalLocation().answers(asked)
    assert str(answers[asked[0]]) == "nothing within 0.3 s"
    assert answers[asked[1]] == Answer(3, "a\nb,c", "no\n")
    assert answers[asked[2]].ok


def test_an_http_answer_is_read_with_its_status_headers_and_body() -> None:
    text = "HTTP/1.1 404 Not Found\r\nX-Edge: here\r\nContent-Length: 3\r\n\r\nno\n"
    reply = Reply.of(Answer(0, text))
    assert (reply.status, reply.headers["x-edge"], reply.body) == (404, "here", "no\n")
    assert str(reply) == "HTTP 404 'no'"


def test_no_http_answer_says_what_curl_said() -> None:
    reply = Reply.of(Answer(6, "", "curl: (6) Could not resolve host: a.b\n"))
    assert reply.status == 0
    assert "Could not resolve host" in str(reply)


def test_header_values_reach_curl_as_they_are() -> None:
    assert "-H 'X-A: it'\"'\"'s $HOME'" in http("http://h/", headers={"X-A": "it's $HOME"})
