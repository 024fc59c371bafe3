"""Each version of Kubernetes has a folder of its own; the link moves when nothing of a host runs from another one."""

from __future__ import annotations

import pytest

from provision.resources import Symlink
from tests.unit.conftest import Declared

NEWER = "site.kubernetes=1.34.9"
ROLES = ("base", "pki", "kube_apiserver", "kube_controller_manager", "kube_scheduler", "kubelet", "kube_proxy")


@pytest.mark.parametrize("role", ROLES)
def test_nothing_of_the_running_version_is_changed(declared: Declared, role: str) -> None:
    before, after = declared("hdss7-21", role), declared("hdss7-21", role, NEWER)
    for resource in after.values():
        paths = [path for path in resource.paths if path.startswith("/opt/kubernetes")]
        assert all(path.startswith("/opt/kubernetes-v1.34.9") for path in paths if path != "/opt/kubernetes"), paths
    assert {key for key in before if "v1.34.4" in key}.isdisjoint(after)


@pytest.mark.parametrize(("role", "program"), [("kube_apiserver", "kube-apiserver"), ("kubelet", "kube-kubelet")])
def test_a_unit_names_the_version_that_it_starts(declared: Declared, role: str, program: str) -> None:
    unit = declared("hdss7-21", role, NEWER)[f"File /etc/supervisor/conf.d/{program}.conf"].content.decode()
    assert f"\ncommand=/opt/kubernetes-v1.34.9/server/bin/{role.replace('_', '-')}.sh\n" in unit


def test_the_link_moves_with_the_last_program_of_a_host(declared: Declared) -> None:
    def moves(role: str) -> bool:
        return "Symlink /opt/kubernetes" in declared("hdss7-21", role)

    assert [role for role in ROLES if moves(role)] == ["kube_proxy"]
    early = declared("hdss7-21", "base")["Symlink /opt/kubernetes (if missing)"]
    assert isinstance(early, Symlink)
    assert early.if_missing
