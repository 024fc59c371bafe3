"""A check that is told nothing must fail, or say that it means nothing here: each is run against empty answers."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from provision.project import Project, Selection
from provision.search_path import SearchPath
from provision.verify.checks import Checking, Many, NotHere, begin, body_of
from provision.verify.commands import Answer, Ask
from provision.verify.context import Context
from tests.readme import paste_application
from tests.unit.conftest import ROOT

CHECKS = ROOT / "tests" / "verify"
MODULES = sorted(path.stem for path in CHECKS.glob("test_*.py"))
# What these ask says no by its exit code, so a command that succeeds and prints nothing is the good answer.
BY_EXIT_CODE = {
    "test_base.test_packages_can_be_installed",
    "test_containerd.test_answers",
    "test_kube_proxy.test_rules",
    "test_traefik.test_browser",
}


def silent(ask: Ask) -> Answer:
    """Every command succeeds and prints nothing."""
    return Answer(0, "")


def empty(ask: Ask) -> Answer:
    """A site without one object: the API knows its nodes and nothing else, Traefik has no router."""
    if " get nodes," in ask.command:
        addresses = [{"type": "InternalIP", "address": f"10.4.7.{number}"} for number in (21, 22, 23)]
        nodes = [
            {"kind": "Node", "metadata": {"name": "n"}, "spec": {}, "status": {"addresses": [each]}}
            for each in addresses
        ]
        return Answer(0, json.dumps({"items": nodes}))
    return Answer(0, "HTTP/1.1 200 OK\r\n\r\n[]" if "/api/http/routers" in ask.command else "")


@pytest.fixture
def context(facts: Path, tmp_path: Path) -> Context:
    """The lab's site with its virtual machine, a second edge and an application, as verify sees it."""
    inventories = (paste_application(tmp_path), ROOT / "inventory" / "lab-vm", ROOT / "inventory" / "lab-ha", facts)
    project = Project(SearchPath.of(ROOT), inventories)
    return Context(project, Selection())


def checks(context: Context) -> Iterator[tuple[str, Checking]]:
    """(name, check begun) for each check of tests/verify, about the first host that it is about."""
    for module in MODULES:
        role = module.removeprefix("test_")
        for name, function in vars(importlib.import_module(f"tests.verify.{module}")).items():
            body = body_of(function)
            if body is None:
                continue
            marks = {mark.name: mark.args for mark in getattr(function, "pytestmark", ())}
            node, *_ = context.about(role, marks["on"][0] if "on" in marks else None)
            yield f"{module}.{name}", begin(body, {**context.known(role, node), **_parameters(marks)})


def _parameters(marks: Mapping[str, tuple[object, ...]]) -> dict[str, object]:
    """The first of the values that @pytest.mark.parametrize names."""
    if "parametrize" not in marks:
        return {}
    name, values = marks["parametrize"]
    assert isinstance(name, str)
    assert isinstance(values, list)
    return {name: values[0]}


def holds(check: Checking, reply: Callable[[Ask], Answer]) -> bool:
    """Whether the check comes to its end with these answers."""
    try:
        asked: Ask | Many = next(check)
        while True:
            if isinstance(asked, Many):
                asked.answers = [reply(ask) for ask in asked.asks]
                asked = check.send(asked.answers[0])
            else:
                asked = check.send(reply(asked))
    except StopIteration:
        return True
    except (NotHere, Exception):
        return False


def test_no_check_passes_on_nothing(context: Context) -> None:
    for reply in (silent, empty):
        begun = dict(checks(context))
        assert len(begun) > 40
        assert {name for name, check in begun.items() if holds(check, reply)} == BY_EXIT_CODE, reply.__doc__
