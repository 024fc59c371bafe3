"""The cluster's Nodes beside the inventory: refused, opened again, taken out, or named and left alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from provision.errors import Exit, ProvisionError
from provision.resources import (
    Action,
    Change,
    Fixed,
    ForeignNodes,
    Manifests,
    NodeAddresses,
    ReturnedNodes,
    Rollout,
    UndeclaredNodes,
)
from provision.resources.kubernetes.live import Unavailable
from provision.resources.kubernetes.nodes import Live, Node, NodesQuestion
from tests.unit.machine import Machine

KUBECTL = "kubectl --kubeconfig=/admin"
QUESTION = NodesQuestion(KUBECTL)
# what kubectl prints for the question's jsonpath, Kubernetes 1.34
ROWS = """n1.host.com|10.4.7.21|True|kubelet|
n2.host.com|10.4.7.22|Unknown|kubelet|node.kubernetes.io/unreachable node.kubernetes.io/unreachable hdss7/leaves
stranger|||| node.kubernetes.io/not-ready
"""
N1 = Node("n1.host.com", "10.4.7.21", ready=True, ours=True)
AWAY = "node.kubernetes.io/unreachable"
N2 = Node("n2.host.com", "10.4.7.22", ready=False, ours=True, taints=(AWAY, AWAY, "hdss7/leaves"))
STRANGER = Node("stranger", "", ready=False, ours=False, taints=("node.kubernetes.io/not-ready",))
LIVE = {node.name: node for node in (N1, N2, STRANGER)}
DOWN = Unavailable("connection refused")


def outcome(resource: Any, live: Live = LIVE) -> Any:
    return resource.compare({QUESTION: live}, ())


def test_nodes_are_read_from_what_kubectl_prints() -> None:
    assert QUESTION.read([QUESTION], ROWS, 0) == {QUESTION: LIVE}


def test_an_api_that_does_not_answer_says_nothing_of_nodes() -> None:
    assert QUESTION.read([QUESTION], "", 124) == {QUESTION: Unavailable("no answer within 20 s")}
    assert QUESTION.read([QUESTION], "x\nThe connection was refused", 1) == {
        QUESTION: Unavailable("The connection was refused")
    }
    for resource in (UndeclaredNodes, ForeignNodes, ReturnedNodes):
        assert outcome(resource(kubectl=KUBECTL, declared=("n1.host.com",)), DOWN) is None


def test_another_address_than_the_live_one_is_bad_input() -> None:
    address = Fixed("ansible_host", "10.4.7.99", "hosts.yml:7", "Remove it, add it")
    guard = NodeAddresses(kubectl=KUBECTL, addresses={"n1.host.com": address})
    with pytest.raises(
        ProvisionError, match=r"Node n1\.host\.com has 10\.4\.7\.21, the inventory says 10\.4\.7\.99"
    ) as error:
        outcome(guard)
    assert error.value.exit is Exit.BAD_INPUT
    assert outcome(guard, DOWN) is None
    assert outcome(guard, {}) is None


def test_only_nodes_with_the_label_are_taken_out() -> None:
    change = outcome(UndeclaredNodes(kubectl=KUBECTL, declared=("n1.host.com",)))
    assert isinstance(change, Change)
    assert change.parts == {"n2.host.com"}
    assert "n2.host.com (not Ready)" in change.summary


def test_other_undeclared_nodes_are_named() -> None:
    foreign = ForeignNodes(kubectl=KUBECTL, declared=("n1.host.com", "n2.host.com"))
    assert not foreign.removable
    assert "stranger (not Ready): not declared" in outcome(foreign).summary
    assert outcome(ForeignNodes(kubectl=KUBECTL, declared=tuple(LIVE))) is None


def test_a_declared_node_that_a_run_has_closed_is_opened() -> None:
    assert outcome(ReturnedNodes(kubectl=KUBECTL, declared=("n1.host.com", "n2.host.com"))).parts == {"n2.host.com"}
    assert outcome(ReturnedNodes(kubectl=KUBECTL, declared=("n1.host.com",))) is None


# n2 is dead; p takes no pods, as hosts that run kube-proxy only
OTHERS = {
    "n1.host.com": N1,
    "n2.host.com": Node("n2.host.com", "10.4.7.22", ready=False, ours=True, taints=(AWAY,)),
    "p.host.com": Node("p.host.com", "10.4.7.23", ready=False, ours=False, taints=("example.com/no-pods", AWAY)),
}


@pytest.mark.parametrize(
    ("declared", "wanted", "ready", "settled"),
    [
        (("n1.host.com",), 2, 1, True),  # n2 is lost
        (("n1.host.com",), 1, 1, True),  # its controller has seen that already
        (("n1.host.com",), 2, 0, False),  # p wants no pod: that it is not Ready makes up for none
        (("n1.host.com", "n2.host.com"), 2, 1, False),  # n2 is declared: its pod is waited for
        (("n1.host.com", "n2.host.com"), 2, 2, True),
        ((), 2, 1, False),
        ((), 2, 2, True),
    ],
)
def test_no_pod_is_awaited_on_a_lost_undeclared_node(
    declared: tuple[str, ...], wanted: int, ready: int, settled: bool
) -> None:
    rollout = daemon("kubectl", declared)
    status = {"observedGeneration": 1, "desiredNumberScheduled": wanted, "updatedNumberScheduled": wanted}
    item = {"kind": "DaemonSet", "metadata": {"generation": 1}, "spec": {}, "status": {**status, "numberReady": ready}}
    live = {("DaemonSet", "x", "web"): item}
    answers: dict[Any, Any] = dict(zip(rollout.questions(), (live, OTHERS), strict=False))
    assert (rollout.compare(answers, ()) is None) is settled


def daemon(kubectl: str, declared: tuple[str, ...]) -> Rollout:
    of = Manifests(name="web", content="", kubectl=kubectl)
    return Rollout(kind="DaemonSet", namespace="x", name="web", kubectl=kubectl, of=of, declared=declared, timeout=5)


TELLS = """#!/bin/sh
case $* in
*'get nodes'*) printf 'n1.host.com|10.4.7.21|True|kubelet|\\nOTHER||Unknown||TAINTS\\n' ;;
*'get daemonset'*) echo x >>LOG; echo "1|1|WANTED|WANTED|$(($(wc -l <LOG) - 1))|RollingUpdate" ;;
esac
"""


@pytest.mark.parametrize(
    ("taints", "wanted", "asked"),
    [
        (f"example.com/no-pods {AWAY}", 1, 2),  # the pod of n1 is waited for
        (AWAY, 2, 2),  # the other one's is not
        ("", 2, 2),
    ],
)
def test_a_rollout_waits_for_the_pods_that_can_come(tmp_path: Path, taints: str, wanted: int, asked: int) -> None:
    kubectl, log = tmp_path / "kubectl", tmp_path / "log"
    words = {"LOG": str(log), "OTHER": "n2.host.com", "TAINTS": taints, "WANTED": str(wanted)}
    said = TELLS
    for word, value in words.items():
        said = said.replace(word, value)
    kubectl.write_text(said)
    kubectl.chmod(0o755)
    done = Machine(tmp_path).run(daemon(str(kubectl), ("n1.host.com",)).fix(Change(Action.RUN, "wait")))
    assert done.returncode == 0, done
    assert len(log.read_text().split()) == asked


SAYS = """#!/bin/sh
echo "$*" >>LOG
case $* in
*'get node '*Ready*) echo READY ;;
drain*) exit DRAINED ;;
esac
"""


def removal(folder: Path, ready: str, drained: int) -> tuple[int, list[str]]:
    """How the removal of a Node ends, and kubectl's verbs in their order."""
    kubectl, log = folder / "kubectl", folder / "log"
    kubectl.write_text(SAYS.replace("LOG", str(log)).replace("READY", ready).replace("DRAINED", str(drained)))
    kubectl.chmod(0o755)
    nodes = UndeclaredNodes(kubectl=str(kubectl), declared=("n1.host.com",), timeout=1)
    done = Machine(folder).run(nodes.fix(outcome_of(nodes)))
    verbs = [line.split()[0] for line in log.read_text().splitlines()]
    return done.returncode, [verb for verb in verbs if verb != "get"]


def outcome_of(nodes: UndeclaredNodes) -> Change:
    change = nodes.compare(dict.fromkeys(nodes.questions(), LIVE), ())
    assert isinstance(change, Change)
    return change


def test_a_node_that_runs_is_emptied_before_it_is_deleted(tmp_path: Path) -> None:
    assert removal(tmp_path, "True", 0) == (0, ["taint", "cordon", "drain", "taint", "delete"])


def test_a_node_whose_pods_may_not_be_evicted_stays(tmp_path: Path) -> None:
    assert removal(tmp_path, "True", 1) == (1, ["taint", "cordon", "drain"])


def test_a_dead_node_is_deleted_without_evictions(tmp_path: Path) -> None:
    assert removal(tmp_path, "Unknown", 0) == (0, ["taint", "cordon", "delete"])
