"""Steps to another version of Kubernetes: which are shown, which wait for the API servers, which are refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from provision.errors import Exit
from provision.facts.question import Question
from provision.remote.protocol import Step
from provision.resources import Change, Unknown
from provision.resources.base import Action
from provision.resources.kubernetes.version import (
    CGROUP_V2,
    CONTAINERD,
    KubernetesVersion,
    VersionError,
    Wanted,
)
from tests.unit.machine import Machine


def step(unit: Path, wanted: str, **more: Any) -> KubernetesVersion:
    return KubernetesVersion(of="kubelet", unit=str(unit), wanted=Wanted(wanted, "all.yml:3"), **more)


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """supervisord's file of a kubelet 1.34.4."""
    file = tmp_path / "kube-kubelet.conf"
    file.write_text("[program:kubelet]\ncommand=/opt/kubernetes-v1.34.4/server/bin/kubelet.sh\n")
    return file


def outcome(machine: Machine, resource: KubernetesVersion, **instead: Any) -> Change | Unknown | None:
    """What this machine's answers come to. instead: answers that it can't give."""
    known: dict[Question, Any] = dict(machine.answers(resource.questions()))
    names = {"servers": resource._servers, "cgroup_v2": CGROUP_V2, "containerd": CONTAINERD}
    for name, answer in instead.items():
        known[names[name]] = replace(known[names[name]], **answer)
    return resource.compare(known, ())


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("1.34.9", "v1.34.4 becomes v1.34.9"),
        ("1.34.1", "v1.34.4 becomes v1.34.1"),
        ("1.35.4", "v1.34.4 becomes v1.35.4"),
    ],
)
def test_a_step_is_one_line_of_the_plan(tmp_path: Path, unit: Path, wanted: str, said: str) -> None:
    assert outcome(Machine(tmp_path), step(unit, wanted)) == Change(Action.UPDATE, said)


def test_nothing_is_said_where_nothing_runs_or_what_is_declared(tmp_path: Path, unit: Path) -> None:
    machine = Machine(tmp_path)
    assert outcome(machine, step(unit, "1.34.4")) is None
    assert outcome(machine, step(tmp_path / "none.conf", "1.36.0")) is None
    unit.write_text("command=/opt/kubernetes/server/bin/kubelet.sh\n")  # before versions had folders of their own
    assert outcome(machine, step(unit, "1.36.0")) is None


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("1.33.9", r"can't go back from v1\.34\.4 to v1\.33\.9.*Write site\.kubernetes: 1\.34\.4.*rollback --run RUN"),
        (
            "1.36.0",
            r"can't go from v1\.34\.4 to v1\.36\.0 in one step.*one minor version at a time.*Deploy 1\.35 first",
        ),
        ("2.0.0", r"can't go from v1\.34\.4 to v2\.0\.0 in one step"),
    ],
)
def test_a_skipped_and_a_lower_minor_version_are_refused(tmp_path: Path, unit: Path, wanted: str, said: str) -> None:
    with pytest.raises(VersionError, match=said) as error:
        outcome(Machine(tmp_path), step(unit, wanted))
    assert (error.value.exit, error.value.explanation.line) == (Exit.BAD_INPUT, "all.yml:3")


SERVERS: Mapping[str, str] = {"hdss7-21": "https://127.0.0.1:1", "hdss7-22": "https://127.0.0.1:1"}


def test_a_node_waits_for_the_api_servers_of_this_run(tmp_path: Path, unit: Path) -> None:
    node = step(unit, "1.35.4", not_before=SERVERS)
    answers = {"output": "hdss7-21 1.35.4\nhdss7-22 1.34.4\n"}
    assert outcome(Machine(tmp_path), node, servers=answers) == Unknown("the API servers run v1.35.4 (older: hdss7-22)")
    whole = {"output": "hdss7-21 1.35.4\nhdss7-22 1.35.0\n"}
    assert outcome(Machine(tmp_path), node, servers=whole) == Change(Action.UPDATE, "v1.34.4 becomes v1.35.4")


def test_an_api_server_that_the_run_leaves_old_is_refused(tmp_path: Path, unit: Path) -> None:
    node = step(unit, "1.35.4", not_before=SERVERS, outside=frozenset({"hdss7-22"}))
    said = r"newer than an API server that this run leaves as it is. hdss7-22 runs v1\.34\.4. Deploy the masters first"
    with pytest.raises(VersionError, match=said.replace(". ", r".*")):
        outcome(Machine(tmp_path), node, servers={"output": "hdss7-21 1.34.4\nhdss7-22 1.34.4\n"})


def test_servers_are_asked_only_where_the_version_differs(tmp_path: Path, unit: Path) -> None:
    machine = Machine(tmp_path)
    same, other = (step(unit, version, not_before=SERVERS)._servers for version in ("1.34.4", "1.35.4"))
    assert machine.ask(same).output == ""
    assert machine.ask(other).output == "hdss7-21 -\nhdss7-22 -"


@pytest.mark.parametrize(
    ("wanted", "allowed", "v2", "refused"),
    [
        ("1.35.4", False, False, True),
        ("1.35.4", True, False, False),
        ("1.35.4", False, True, False),
        ("1.34.9", False, False, False),
    ],
)
def test_control_groups_v1_end_with_kubelet_1_35(
    tmp_path: Path, unit: Path, wanted: str, allowed: bool, v2: bool, refused: bool
) -> None:
    kubelet = step(unit, wanted, on_cgroup_v1=allowed)
    instead = {"cgroup_v2": {"kind": "f" if v2 else ""}} if kubelet._no_cgroup_v1 else {}
    if not refused:
        assert isinstance(outcome(Machine(tmp_path), kubelet, **instead), Change)
        return
    for file in (unit, tmp_path / "none.conf"):  # on a host that is new, too
        with pytest.raises(
            VersionError, match=r"control groups of version 1.*Set kubelet\.config\.failCgroupV1 to false"
        ):
            outcome(Machine(tmp_path), replace(kubelet, unit=str(file)), **instead)


@pytest.mark.parametrize(("said", "refused"), [("1", True), ("2", False), ("", False)])
def test_containerd_1_ends_with_kubelet_1_37(tmp_path: Path, unit: Path, said: str, refused: bool) -> None:
    unit.write_text(unit.read_text().replace("1.34.4", "1.36.1"))
    kubelet = step(unit, "1.37.0", containerd=True)
    if refused:
        with pytest.raises(VersionError, match="needs containerd 2"):
            outcome(Machine(tmp_path), kubelet, containerd={"output": said})
    else:
        assert isinstance(outcome(Machine(tmp_path), kubelet, containerd={"output": said}), Change)


def test_what_comes_before_a_step_runs_once(tmp_path: Path, unit: Path) -> None:
    machine = Machine(tmp_path)
    api = step(unit, "1.35.4", before=f"echo taken >>{tmp_path}/snapshots", says="after a snapshot")
    change = outcome(machine, api)
    assert change == Change(Action.UPDATE, "v1.34.4 becomes v1.35.4, after a snapshot")
    assert machine.run(api.fix(change)).returncode == 0
    assert outcome(machine, api) is None
    unit.write_text(unit.read_text() + "\n")  # gone back to, and from there again
    assert isinstance(outcome(machine, api), Change)


def test_a_step_whose_snapshot_fails_is_not_begun(tmp_path: Path, unit: Path) -> None:
    machine = Machine(tmp_path)
    api = step(unit, "1.35.4", before="false", says="after a snapshot")
    change = outcome(machine, api)
    assert isinstance(change, Change)
    failed: Any = machine.run(Step(api.fix(change).script))
    assert failed.returncode != 0
    assert isinstance(outcome(machine, api), Change)
