"""Objects and rollouts: what is compared, and how what differs is mended."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from provision.errors import UnsupportedError
from provision.facts.host import ShellAnswer
from provision.facts.question import Question
from provision.remote.protocol import Step
from provision.resources import Change, Manifests, Rollout, Unknown
from provision.resources.base import Rendering
from provision.resources.kubernetes.live import Unavailable

KUBECTL = "kubectl --kubeconfig=/k"
SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web", "namespace": "default"},
    "spec": {"ports": [{"name": "http", "port": 80}]},
}


def manifests(*, absent: bool = False) -> Manifests:
    made = Manifests(name="web", content=json.dumps(SERVICE), kubectl=KUBECTL, absent=absent)
    rendered = made.rendered(Rendering(lambda template: ""))
    assert isinstance(rendered, Manifests)
    return rendered


def compared(resource: Manifests | Rollout, *live: Mapping[str, Any]) -> Change | Unknown | None:
    found = {(i["kind"], i["metadata"]["namespace"], i["metadata"]["name"]): i for i in live}
    answers: dict[Question, Any] = dict.fromkeys(resource.questions(), found)
    return resource.compare(answers, ())


def with_ports(*ports: Mapping[str, Any]) -> dict[str, Any]:
    return {**SERVICE, "spec": {"clusterIP": "192.168.3.4", "ports": list(ports)}}


HTTP = {"name": "http", "port": 80, "protocol": "TCP"}
EXTRA = {"name": "extra", "port": 81, "protocol": "TCP"}


def test_a_set_that_is_so_on_the_cluster_is_left_alone() -> None:
    assert compared(manifests(), with_ports(HTTP)) is None


@pytest.mark.parametrize(
    ("version", "refused"),
    [
        ("v1.15.2", True),
        ("v1.21.14+k3s1", True),
        ("v1.22.0", False),
        ("v1.34.4", False),
        ("v2.0.0", False),
        ("", False),
    ],
)
def test_a_cluster_that_is_too_old_is_refused_before_anything_changes(version: str, refused: bool) -> None:
    wanted = manifests()
    change = compared(wanted)
    assert isinstance(change, Change)
    said = json.dumps({"major": "1", "gitVersion": version}, indent=2)
    answers: dict[Question, Any] = {question: {} for question in wanted.questions()}
    answers |= dict.fromkeys(wanted.evidence(change), ShellAnswer(0, said))
    with pytest.raises(UnsupportedError, match="nothing was changed") if refused else nullcontext():
        wanted.explain(change, answers)


def test_nothing_is_guessed_while_the_api_does_not_answer() -> None:
    wanted = manifests()
    answers: dict[Question, Any] = dict.fromkeys(wanted.questions(), Unavailable("connection refused"))
    assert isinstance(wanted.compare(answers, ()), Unknown)


KubectlCalls = Callable[[Step], list[str]]


@pytest.fixture
def kubectl_calls(tmp_path: Path) -> KubectlCalls:
    """Runs a step with a kubectl that does nothing, and gives what it was called with, each call's file left out."""
    program = tmp_path / "bin/kubectl"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "${{*% -f *}}" >>{tmp_path}/calls\n')
    program.chmod(0o755)

    def kubectl_calls(step: Step) -> list[str]:
        script = tmp_path / "script"
        script.write_text(step.script)
        assert isinstance(step.payload, bytes)
        environment = {"PATH": f"{program.parent}:/usr/bin:/bin"}
        subprocess.run(["sh", script], input=step.payload, env=environment, check=True)
        return (tmp_path / "calls").read_text().splitlines()

    return kubectl_calls


def test_an_item_added_to_a_list_is_removed(kubectl_calls: KubectlCalls) -> None:
    wanted = manifests()
    change = compared(wanted, with_ports(HTTP, EXTRA))
    assert isinstance(change, Change)
    assert change.summary == "Service default/web: spec.ports"
    assert kubectl_calls(wanted.fix(change)) == [
        "--kubeconfig=/k apply --dry-run=server",
        "--kubeconfig=/k apply",
        "--kubeconfig=/k replace --save-config",
    ]


def test_an_object_that_is_missing_is_applied_and_nothing_replaced(kubectl_calls: KubectlCalls) -> None:
    wanted = manifests()
    change = compared(wanted)
    assert isinstance(change, Change)
    assert (change.action, change.summary) == ("create", "create Service default/web")
    assert kubectl_calls(wanted.fix(change)) == ["--kubeconfig=/k apply --dry-run=server", "--kubeconfig=/k apply"]


def test_an_absent_object_is_deleted_once(kubectl_calls: KubectlCalls) -> None:
    unwanted = manifests(absent=True)
    assert compared(unwanted) is None
    change = compared(unwanted, with_ports(HTTP))
    assert isinstance(change, Change)
    assert (change.action, change.summary) == ("remove", "remove Service default/web")
    assert kubectl_calls(unwanted.fix(change)) == ["--kubeconfig=/k delete --ignore-not-found --wait=true"]


def test_an_object_that_names_no_namespace_is_found_in_default() -> None:
    bare = json.dumps({**SERVICE, "metadata": {"name": "web"}})
    unwanted = Manifests(name="web", content=bare, kubectl=KUBECTL, absent=True)
    rendered = unwanted.rendered(Rendering(lambda template: ""))
    assert isinstance(rendered, Manifests)
    change = compared(rendered, with_ports(HTTP))
    assert isinstance(change, Change)
    assert change.summary == "remove Service web"


def daemonset(wanted: int, updated: int, ready: int, seen: int = 2) -> dict[str, Any]:
    return {
        "kind": "DaemonSet",
        "metadata": {"name": "web", "namespace": "default", "generation": 2},
        "spec": {},
        "status": {
            "observedGeneration": seen,
            "desiredNumberScheduled": wanted,
            "updatedNumberScheduled": updated,
            "numberReady": ready,
        },
    }


@pytest.mark.parametrize(
    ("live", "settled"),
    [
        (daemonset(2, 2, 2), True),
        (daemonset(2, 1, 2), False),  # a pod of the template before
        (daemonset(2, 2, 1), False),  # one is not ready
        (daemonset(2, 2, 2, seen=1), False),  # the controller has not seen the new template yet
        (daemonset(0, 0, 0), False),  # no node may run it
    ],
)
def test_a_rollout_ends_once_all_pods_are_new_and_ready(live: Mapping[str, Any], settled: bool) -> None:
    rollout = Rollout(kind="DaemonSet", namespace="default", name="web", kubectl=KUBECTL, of=manifests())
    assert (compared(rollout, live) is None) is settled


def stateful(wanted: int, updated: int, ready: int) -> dict[str, Any]:
    status = {"observedGeneration": 2, "updatedReplicas": updated, "readyReplicas": ready}
    metadata = {"name": "web", "namespace": "default", "generation": 2}
    return {"kind": "StatefulSet", "metadata": metadata, "spec": {"replicas": wanted}, "status": status}


@pytest.mark.parametrize(
    ("live", "settled"),
    [(stateful(2, 2, 2), True), (stateful(2, 1, 2), False), (stateful(2, 2, 1), False), (stateful(0, 0, 0), True)],
)
def test_a_rollout_of_a_stateful_set_ends_in_the_same_way(live: Mapping[str, Any], settled: bool) -> None:
    rollout = Rollout(kind="StatefulSet", namespace="default", name="web", kubectl=KUBECTL, of=manifests())
    assert (compared(rollout, live) is None) is settled


def test_a_rollout_is_looked_at_again_once_its_set_was_changed() -> None:
    wanted = manifests()
    rollout = Rollout(kind="DaemonSet", namespace="default", name="web", kubectl=KUBECTL, of=wanted)
    assert [resource.key for resource in rollout.dependencies] == [wanted.key]
