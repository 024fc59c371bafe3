"""The nearest right word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision.spelling import distance, nearest, suggestion

WORDS = ("iptables", "ipvs", "edge", "kube_proxy", "traefik")


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("iptabels", "iptables"),
        ("egde", "edge"),
        ("Kube-Proxy", "kube_proxy"),
        ("kubeproxy", "kube_proxy"),
        ("traefic", "traefik"),
        ("x", ""),
        ("nginx", ""),
        ("", ""),
    ],
)
def test_a_near_word_is_found_and_a_far_one_is_not(word: str, expected: str) -> None:
    assert nearest(word, WORDS) == expected
    assert suggestion(word, WORDS) == (f"Did you mean '{expected}'?" if expected else "")


@given(st.text("abc", max_size=8), st.text("abc", max_size=8))
def test_distance_is_symmetric_and_bounded(left: str, right: str) -> None:
    assert distance(left, right) == distance(right, left) <= max(len(left), len(right))
    assert (distance(left, right) == 0) == (left == right)


NOISE = st.text("abc_", max_size=9)


@given(NOISE, st.lists(NOISE, max_size=5))
def test_what_is_not_counted_to_its_end_is_not_near(word: str, others: list[str]) -> None:
    budget = min(3, max(1, len(word) // 3))
    near = [(distance(word, other), other) for other in others if other != word]
    assert nearest(word, others) == min((each for each in near if each[0] <= budget), default=(0, ""))[1]
