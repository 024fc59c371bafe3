"""Kinds that somebody publishes: missing, older, newer, or an API server that does not answer."""

from __future__ import annotations

from typing import Any

import pytest

from provision.facts.host import ShellAnswer
from provision.resources import Change, Definitions, Unknown

KINDS = ("gateways.example.com", "routes.example.com")
DEFINITIONS = Definitions(
    name="gateway-api",
    kinds=KINDS,
    version="1.6.3",
    annotation="example.com/bundle-version",
    url="http://10.4.7.200/x.yaml",
    sha256="0" * 64,
    kubectl="kubectl",
)


def outcome(code: int, output: str) -> Any:
    (question,) = DEFINITIONS.questions()
    return DEFINITIONS.compare({question: ShellAnswer(code, output)}, ())


@pytest.mark.parametrize("versions", [("v1.6.3", "v1.6.3"), ("v1.6.4", "v1.10.0"), ("v2.0.0-rc.1", "v1.6.3")])
def test_kinds_of_this_or_a_newer_version_are_as_declared(versions: tuple[str, str]) -> None:
    assert outcome(0, "".join(f"{k} {v}\n" for k, v in zip(KINDS, versions, strict=True))) is None


@pytest.mark.parametrize(
    ("output", "summary"),
    [
        ("", "2 kinds of version 1.6.3"),
        ("gateways.example.com v1.6.3\n", "create routes.example.com"),
        ("gateways.example.com v1.6.3\nroutes.example.com v1.6.1\n", "routes.example.com: v1.6.1 -> 1.6.3"),
        ("gateways.example.com <none>\n", "create routes.example.com; gateways.example.com: <none> -> 1.6.3"),
    ],
)
def test_a_missing_or_older_kind_is_a_difference(output: str, summary: str) -> None:
    change = outcome(0, output)
    assert isinstance(change, Change)
    assert change.summary == summary


def test_nothing_is_known_while_no_api_server_answers() -> None:
    assert outcome(1, "The connection to the server was refused") == Unknown("the API server answers")
