"""Edges that share an address: none is taken out of it before another one stands by to take it over."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from provision.errors import FailedError
from provision.facts.question import Answers, Question
from provision.playbook.health_check import Application, HealthCheck
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
        path = {**os.environ, "PATH": f"{self.folder}:{os.environ['PATH']}"}
        done = subprocess.run(
            ["sh", "-c", step.script], cwd=self.folder, env=path, capture_output=True, text=True, check=False
        )
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


def test_edges_are_asked_as_edges_are_and_nodes_are_not() -> None:
    tls = HealthCheck(
        "http://traefik.od.com/dashboard/",
        80,
        applications=(Application("shop", "http://shop.od.com/"),),
        tls=True,
        closed=frozenset({"traefik.od.com"}),
        health="/health",
        nodes_closed=True,
        of_edges=True,
    )
    edge = Edge("e1", Local(Path()), Shared(host="e1"), "10.4.7.10")  # type: ignore[arg-type]
    asked = [str(target) for target in targets(tls, [edge], [Drained("e1", "10.4.7.11")])]
    assert "HEAD https://traefik.od.com/health at 10.4.7.10:443" in asked
    assert "application shop: GET https://shop.od.com/ at 10.4.7.11:443" in asked
    nodes = [str(each) for each in targets(replace(tls, of_edges=False, port=81), [edge], [Drained("n1", "10.4.7.21")])]
    assert not [each for each in nodes if "10.4.7.21" in each]  # they take nobody's requests but the edges'


@pytest.mark.parametrize(
    ("check", "said"),
    [
        (HealthCheck("http://od.com/x", 81), "GET http://od.com/x 127.0.0.1:81"),
        (HealthCheck("http://od.com/x", 81, tls=True), "GET http://od.com/x 127.0.0.1:81"),
        (HealthCheck("http://od.com/x", 80, tls=True, of_edges=True), "GET https://od.com/x 127.0.0.1:443"),
        (
            HealthCheck("http://od.com/x", 80, closed=frozenset({"od.com"}), health="/h", of_edges=True),
            "HEAD http://od.com/h 127.0.0.1:80",
        ),
    ],
)
def test_who_answers_is_found_as_the_node_answers(tmp_path: Path, check: HealthCheck, said: str) -> None:
    curl = tmp_path / "curl"
    curl.write_text("""#!/bin/sh
method=GET
for word; do case $word in --head) method=HEAD ;; http*) url=$word ;; ::*) at=${word#::} ;; esac; done
echo "$method $url $at" >asked
printf 200
""")
    curl.chmod(0o755)
    edge = Edge("e1", Local(tmp_path), Shared(host="e1"), "10.4.7.10")  # type: ignore[arg-type]
    assert Edges([edge], check, "2026").healthy([Drained("n1", "127.0.0.1")]) == {"n1"}
    assert (tmp_path / "asked").read_text().strip() == said
