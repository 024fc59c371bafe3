"""What is looked for on which host once nodes have left; what runs there is replaced by recorded answers."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.unit.conftest import Declared

# ip -4 route show root 172.7.0.0/16
ROUTES = """172.7.21.0/24 dev cni0 proto kernel scope link src 172.7.21.1
172.7.22.0/24 via 10.4.7.22 dev eth0
172.7.24.0/24 via 10.4.7.24 dev eth0
"""


def ran(script: str, folder: Path, **programs: str) -> str:
    """What a script prints where these programs say these words."""
    for name, says in programs.items():
        (folder / name).write_text(f"#!/bin/sh\ncat <<'END'\n{says}END\n")
        (folder / name).chmod(0o755)
    path = {"PATH": f"{folder}:{os.environ['PATH']}"}
    return subprocess.run(["sh", "-c", script], capture_output=True, text=True, env=path, check=True).stdout


def test_a_node_looks_for_routes_to_pods_of_others_alone(declared: Declared, tmp_path: Path) -> None:
    found = declared("hdss7-21", "leftovers")
    assert list(found) == ["Leftovers routes to pods"]
    assert ran(found["Leftovers routes to pods"].look, tmp_path, ip=ROUTES) == "172.7.24.0/24 via 10.4.7.24\n"


def test_a_host_that_was_never_a_node_has_nothing_left(declared: Declared, tmp_path: Path) -> None:
    found = declared("hdss7-11", "leftovers")
    assert list(found) == ["Leftovers node"]
    look = found["Leftovers node"].look
    assert ran(look, tmp_path) == ""
    unit = tmp_path / "kube-kubelet.conf"
    here = look.replace("/etc/supervisor/conf.d/kube-kubelet.conf", str(unit))
    unit.write_text("[program:kube-kubelet-7-11]\n")  # somebody else's
    assert ran(here, tmp_path) == ""
    unit.write_text("; by provision\n[program:kube-kubelet-7-11]\n")
    assert ran(here, tmp_path, ctr="a\nb\n").splitlines()[:2] == [
        "program kube-kubelet-7-11",
        "2 containers and pod sandboxes",
    ]


def test_nothing_is_looked_for_in_a_cluster_of_others(declared: Declared) -> None:
    for role in ("leftovers", "cluster_nodes", "former_nodes"):
        assert len(declared("hdss7-22", role)) > 0
        assert len(declared("hdss7-22", role, "site.managed=false")) == 0


def test_new_addresses_are_compared_with_the_cluster_on_the_first_master(declared: Declared) -> None:
    found = declared("hdss7-21", "cluster_nodes")
    assert list(found) == ["NodeAddresses", "ReturnedNodes"]
    fixed = found["NodeAddresses"].addresses["hdss7-22.host.com"]
    assert (fixed.setting, fixed.value) == ("ansible_host", "10.4.7.22")
    assert "docs/hosts.md" in fixed.do


def test_nodes_that_run_kube_proxy_only_do_not_count_as_left(declared: Declared) -> None:
    from lab.commands import MACHINE

    names = declared("hdss7-21", "former_nodes", also=(MACHINE,))["UndeclaredNodes"].declared
    assert set(names) == {"hdss7-21.host.com", "hdss7-22.host.com", "hdss7-23.host.com"}
