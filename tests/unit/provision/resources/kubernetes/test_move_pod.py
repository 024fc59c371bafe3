"""When a moved pod counts as ready, decided by the script itself; kubectl's answers are recorded ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from provision.resources import Manifests, Rollout
from tests.unit.machine import Machine

# kubectl get pods --no-headers, Kubernetes 1.34
PODS = {
    "one of one container ready": ("web-6zl4q  1/1  Running  0  9s", 0),
    "two of two containers ready": ("web-6zl4q  2/2  Running  0  9s", 0),
    "ready after restarts": ("web-6zl4q  2/2  Running  3 (20s ago)  9m", 0),
    "one of two containers ready": ("web-6zl4q  1/2  Running  0  9s", 1),
    "not started": ("web-6zl4q  0/2  ContainerCreating  0  1s", 1),
    "eleven of twelve ready": ("web-6zl4q  11/12  Running  0  9s", 1),
    "no pod": ("", 1),
}
KUBECTL = """#!/bin/sh
case $* in
*updateStrategy*) echo OnDelete ;;
*pod-template-generation*) ;;  # no pod of an older template is left
*--no-headers*) printf '%s\\n' '{pods}' ;;
*) echo 1 ;;
esac
"""


@pytest.mark.parametrize(("pods", "code"), PODS.values(), ids=PODS.keys())
def test_a_moved_pod_is_ready_with_all_its_containers(tmp_path: Path, pods: str, code: int) -> None:
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(KUBECTL.replace("{pods}", pods))
    kubectl.chmod(0o755)
    of = Manifests(name="web", content="", kubectl=str(kubectl))
    rollout = Rollout(kind="DaemonSet", namespace="default", name="web", kubectl=str(kubectl), of=of, timeout=1)
    assert Machine(tmp_path).run(rollout.move("node1")).returncode == code
