"""Parsing never fails with another error, and a tree means what its text means."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from urltrace.request import Request
from urltrace.traefik.evaluate import check_values, evaluate, query_pairs
from urltrace.traefik.regexp import BadRegexpError, UnknownRegexpError, compile_go
from urltrace.traefik.routed_path import routed_path
from urltrace.traefik.routers import Router, choose
from urltrace.traefik.rule import And, Matcher, Or, Rule, RuleError, negate, parse

LEAVES = st.builds(
    Matcher,
    st.just("Host"),
    st.sampled_from([("a.od.com",), ("b.od.com",), ("*.od.com",)]),
    st.booleans(),
) | st.builds(Matcher, st.just("PathPrefix"), st.sampled_from([("/",), ("/foo",), ("/bar",)]), st.booleans())
TREES: st.SearchStrategy[Rule] = st.recursive(
    LEAVES, lambda inner: st.builds(And, inner, inner) | st.builds(Or, inner, inner), max_leaves=12
)
REQUESTS = st.builds(
    Request, st.sampled_from(["a.od.com", "b.od.com:80", "od.com", ""]), st.sampled_from(["/", "/foo/x", "/bar"])
)


@settings(deadline=None)
@given(st.text(max_size=80) | st.text('Host(`a`)&|! \n"\\xu', max_size=60))
def test_a_text_is_a_rule_or_a_rule_error(text: str) -> None:
    with suppress(RuleError):
        check_values(parse(text))


@settings(deadline=None)
@given(TREES, REQUESTS)
def test_a_printed_rule_means_the_same(rule: Rule, request: Request) -> None:
    assert evaluate(parse(str(rule)), request).matched == evaluate(rule, request).matched


@settings(deadline=None)
@given(TREES, REQUESTS)
def test_a_negated_rule_answers_the_opposite(rule: Rule, request: Request) -> None:
    assert evaluate(negate(rule), request).matched != evaluate(rule, request).matched


@settings(deadline=None)
@given(TREES, REQUESTS)
def test_what_does_not_match_says_why(rule: Rule, request: Request) -> None:
    found = evaluate(rule, request)
    assert bool(found.why_not) != found.matched
    assert all(not reason.matched for reason in found.why_not)


@settings(deadline=None)
@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=30).map(lambda text: "/" + text))
def test_a_routed_path_is_refused_or_clean(path: str) -> None:
    routed = routed_path(path)
    assert routed is None or (routed.startswith("/") and "//" not in routed and "/../" not in routed)


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("Host(`demo.od.com`) && PathPrefix(`/api`)", "PathPrefix(`/api`) does not match path /app"),
        ("Host(`demo.od.cm`) && PathPrefix(`/api`)", "Host(`demo.od.cm`) does not match host demo.od.com"),
        ("Host(`demo.od.com`) && Method(`POST`)", "Method(`POST`) does not match method GET"),
        ("Header(`Host`, `demo.od.com`)", "does not match nothing: Host is no header to Traefik, use Host()"),
        ("ClientIP(`10.0.0.0/8`)", "may match the client's address, which is not known from here"),
    ],
)
def test_why_not_names_the_first_matcher_that_fails(rule: str, why: str) -> None:
    found = evaluate(parse(rule), Request("demo.od.com", "/app"))
    assert why in str(found.why_not[0])


def test_routers_of_the_same_rank_are_tied() -> None:
    same = [Router(f"{name}@kubernetes", "Host(`a`)", entrypoints=("web",)) for name in "xy"]
    choice = choose([*same, Router("z@kubernetes", "PathPrefix(`/`)", entrypoints=("web",), priority=1)], Request("a"))
    assert choice.winner == same[0]
    assert choice.tied == (same[1],)
    assert [router.name for router in choice.shadowed] == ["z@kubernetes"]


def test_a_router_that_may_match_first_is_told() -> None:
    unknown = Router("u@file", "Host(`a`) && ClientIP(`10.0.0.0/8`)", entrypoints=("web",))
    choice = choose([unknown, Router("k@file", "Host(`a`)", entrypoints=("web",))], Request("a"))
    assert choice.winner
    assert [judged.router for judged in choice.perhaps] == [unknown]


def test_the_nearest_router_of_a_404_has_the_right_host() -> None:
    routers = [
        Router("far@file", "Host(`b`) && PathPrefix(`/`)", entrypoints=("web",)),
        Router("near@file", "Host(`a`) && PathPrefix(`/api`)", entrypoints=("web",)),
    ]
    assert choose(routers, Request("a", "/app")).nearest[0].router.name == "near@file"


def test_a_query_is_read_as_go_reads_it() -> None:
    assert query_pairs("a=1;b=%zz&c&d=x+y") == [("a", "1"), ("c", ""), ("d", "x y")]


@pytest.mark.parametrize(
    ("pattern", "error"),
    [
        ("(?=a)", BadRegexpError),
        ("(?<!a)", BadRegexpError),
        ("a*+", BadRegexpError),
        ("[", BadRegexpError),
        (r"(a)\1", BadRegexpError),
        (r"\p{Greek}", UnknownRegexpError),
        ("[[:alpha:]]", UnknownRegexpError),
        ("a{,3}", UnknownRegexpError),
        ("a(?i)b", UnknownRegexpError),
        ("(?U)a+", UnknownRegexpError),
    ],
)
def test_a_pattern_of_another_language_is_not_judged(pattern: str, error: type[ValueError]) -> None:
    with pytest.raises(error):
        compile_go(pattern)


def test_a_dollar_is_the_very_end() -> None:
    assert compile_go("^a$").search("a")
    assert not compile_go("^a$").search("a\n")
    assert compile_go("(?<name>a)[$]").search("a$")
