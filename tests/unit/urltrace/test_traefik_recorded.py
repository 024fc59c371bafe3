"""Rules and routers, held against what a real Traefik answered (record_traefik.py)."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from urltrace.request import Request
from urltrace.traefik.evaluate import check_values, evaluate
from urltrace.traefik.routed_path import routed_path
from urltrace.traefik.routers import choose, read_rawdata
from urltrace.traefik.rule import RuleError, parse

RECORDED: dict[str, Any] = json.loads(Path(__file__).with_name("recorded").joinpath("traefik.json").read_text())
REFUSED = 400


def request_of(recorded: dict[str, Any]) -> Request:
    return Request(
        host=recorded["host"],
        path=recorded["path"].encode("latin-1").decode("utf-8", "surrogateescape"),
        query=recorded["query"],
        method=recorded["method"],
        headers=tuple((line.partition(":")[0], line.partition(":")[2].strip()) for line in recorded["headers"]),
        client="127.0.0.1",
    )


def refusal(rule: str) -> str:
    """Why Traefik does not load `rule`; '' when it does."""
    try:
        check_values(parse(rule))
    except RuleError as error:
        return str(error)
    return ""


# the recorder put each rule into parentheses, where Go takes no line's end
LOADED = [recorded for recorded in RECORDED["rules"] if recorded["status"] == "enabled"]
REFUSED_RULES = [one for one in RECORDED["rules"] if one["status"] != "enabled" and not one["rule"].endswith("\n")]


@pytest.mark.parametrize("recorded", REFUSED_RULES, ids=lambda one: one["rule"][:40])
def test_a_rule_that_traefik_refuses_is_refused(recorded: Any) -> None:
    assert refusal(recorded["rule"])


@pytest.mark.parametrize("recorded", LOADED, ids=lambda one: one["rule"][:40])
def test_a_rule_matches_what_traefik_matches(recorded: Any) -> None:
    assert not refusal(recorded["rule"])
    for sent, (status, router) in zip(RECORDED["requests"], recorded["answers"], strict=True):
        request = request_of(sent)
        if status == REFUSED:
            assert routed_path(request.path) is None, request
        else:
            found = evaluate(parse(recorded["rule"]), request).matched
            assert found in (router.startswith("r"), None), (str(request), router)


def test_few_answers_are_unknown() -> None:
    requests = [request_of(sent) for sent in RECORDED["requests"]]
    unknown = [
        recorded["rule"]
        for recorded in LOADED
        if any(evaluate(parse(recorded["rule"]), request).matched is None for request in requests)
    ]
    assert unknown == ["PathRegexp(`\\pL`)", "PathRegexp(`[[:digit:]]`)", "PathRegexp(`(?s).$`)"]


@pytest.mark.parametrize("recorded", RECORDED["competing"], ids=lambda one: f"{one[0]['host']}{one[0]['path']}")
def test_the_winner_is_the_router_that_answered(recorded: Any) -> None:
    sent, (_, answered) = recorded
    loaded = read_rawdata(json.dumps(RECORDED["rawdata"]))
    choice = choose(loaded.routers, request_of(sent))
    perhaps = [judged.router.name for judged in choice.perhaps]
    won = choice.winner.name if choice.winner else ""
    if answered == "syntax-two":  # a rule of the older syntax is not judged
        assert perhaps == ["syntax-two@file"]
    else:
        assert won == (f"{answered}@file" if answered else "")


def test_priorities_are_the_lengths_that_traefik_reports() -> None:
    routers = read_rawdata(json.dumps(RECORDED["rawdata"])).routers
    own = [router for router in routers if router.name.startswith(("short@", "long@", "half-entry@", "with-tls@"))]
    assert len(own) == 4
    assert all(replace(router, priority=0).rank == router.priority for router in own)
