"""A node's own Node: missing, without our label, or as it has to be."""

from __future__ import annotations

from typing import Any

import pytest

from provision.facts.host import ShellAnswer
from provision.resources import Change, RegisteredNode, Unknown
from provision.resources.kubernetes.registration import NodeApi

API = NodeApi("n1.host.com", "https://10.4.7.11:7443", "curl")
NODE = RegisteredNode(api=API, kubelet="kube-kubelet-7-21")


def outcome(state: str, *changed: str) -> Any:
    (question,) = NODE.questions()
    return NODE.compare({question: ShellAnswer(0, state)}, changed)


@pytest.mark.parametrize(
    ("state", "summary"),
    [
        ("missing", "n1.host.com is not in the cluster: restart kube-kubelet-7-21"),
        ("unlabelled", "label n1.host.com hdss7/made-by=kubelet"),
    ],
)
def test_a_missing_or_unlabelled_node_is_a_difference(state: str, summary: str) -> None:
    for changed in ((), ("Program kube-kubelet-7-21",)):
        change = outcome(state, *changed)
        assert isinstance(change, Change)
        assert change.summary == summary


def test_a_node_with_the_label_is_as_declared_whatever_else_changes() -> None:
    assert outcome("labelled") is None
    assert outcome("labelled", "Program kube-kubelet-7-21") is None


def test_without_an_api_the_node_is_known_once_kubelet_has_started() -> None:
    assert outcome("") is None
    assert isinstance(outcome("", "Program kube-kubelet-7-21"), Unknown)
