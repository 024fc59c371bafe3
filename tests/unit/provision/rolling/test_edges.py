"""Edges that share an address: none is taken out of it before another one stands by to take it over."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from provision.errors import FailedError
from provision.facts.question import Answers, Question
from provision.playbook.health_check import HealthCheck
from provision.remote.protocol import Step, StepResult
from provision.resources.base import Change
from provision.resources.configset.drain import Drainer
from provision.rolling.edges import Edge, Edges, targets
from provision.rolling.edges import Node as Drained


class Local:
    """Runs the steps of an edge on this machine, in a folder that stands for the host."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, step: Step) -> StepResult:
        done = subprocess.run(["sh", "-c", step.script], cwd=self.folder, capture_output=True, text=True, check=False)
        return StepResult(done.returncode, done.stdout, done.stderr)


@dataclass(frozen=True, kw_only=True)
class Shared(Drainer):
    """An edge of a shared address: the file `ready` says whether it would take it, `out` whether it is out."""

    host: str

    @property
    def key(self) -> str:
        return "Shared"

    @property
    def drainable(self) -> frozenset[str]:
        return frozenset({self.host})

    @property
    def error_log(self) -> str:
        return "/var/log/x"

    def questions(self) -> tuple[Question, ...]:
        return ()

    def compare(self, answers: Answers, changed_dependencies: Sequence[str]) -> Change | None:
        return None

    def fix(self, change: Change) -> Step:
        return Step("true")

    def drained_now(self, answers: Answers) -> Mapping[str, str]:
        return {}

    def takes_over(self) -> str:
        return "[ -e ready ]"

    def set_drained(self, drained: Mapping[str, str]) -> Step:
        return Step("touch out" if self.host in drained else "rm -f out")


def edges(tmp_path: Path, *ready: str) -> Edges:
    made = []
    for name in ("e1", "e2"):
        folder = tmp_path / name
        folder.mkdir()
        if name in ready:
            (folder / "ready").touch()
        made.append(Edge(name, Local(folder), Shared(host=name), "10.4.7.10"))  # type: ignore[arg-type]
    return Edges(made, HealthCheck("http://od.com/", 80, of_edges=True), "2026")


def out(tmp_path: Path) -> set[str]:
    return {path.parent.name for path in tmp_path.glob("*/out")}


def test_an_edge_leaves_the_address_to_one_that_stands_by(tmp_path: Path) -> None:
    both = edges(tmp_path, "e2")
    both.set_drained({"e1"}, "drain e1")
    assert out(tmp_path) == {"e1"}
    (tmp_path / "e2" / "ready").unlink()
    both.set_drained((), "put e1 back")  # back it may always come
    assert out(tmp_path) == set()


@pytest.mark.parametrize("ready", [(), ("e1",)])
def test_an_edge_stays_where_no_other_would_take_over(tmp_path: Path, ready: tuple[str, ...]) -> None:
    with pytest.raises(FailedError) as refused:
        edges(tmp_path, *ready).set_drained({"e1"}, "drain e1")
    assert "could not drain e1: no other host would take its traffic over" in str(refused.value)
    assert "e2 does not stand by for it" in str(refused.value)
    assert out(tmp_path) == set()


def test_a_shared_address_is_asked_once(tmp_path: Path) -> None:
    both = [Edge(name, Local(tmp_path), Shared(host=name), "10.4.7.10") for name in ("e1", "e2")]  # type: ignore[arg-type]
    nodes = [Drained("e1", "10.4.7.11"), Drained("e2", "10.4.7.12")]
    asked = targets(HealthCheck("http://od.com/", 80, of_edges=True), both, nodes)
    assert [(target.url, target.address) for target in asked] == [("http://od.com/", "10.4.7.10")]
