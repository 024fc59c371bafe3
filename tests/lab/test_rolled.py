"""Settings that are rolled: each play's are changed together, in one deploy, and no request fails."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from provision.inventory.changes import Changes
from tests.lab.clients import clients, unharmed
from tests.lab.typed import Typed, deployed_site
from tests.unit.provision.inventory.test_changes import EVERY

NAME = "t-rolled"
TOGETHER: Mapping[str, Mapping[str, Any]] = {
    "etcd": {"etcd.quota": 7_000_000_000, "etcd.heartbeat": 150, "etcd.election": 1500},
    "control plane": {
        "site.node_ports": "3000-29998",
        "kube_apiserver.verbosity": 1,
        "kube_apiserver.arguments": ["--max-requests-inflight=500"],
        "kube_controller_manager.verbosity": 1,
        "kube_controller_manager.arguments": ["--concurrent-deployment-syncs=6"],
        "kube_scheduler.verbosity": 1,
        "kube_scheduler.arguments": ["--kube-api-qps=60"],
    },
    "nodes": {
        "cni.packages": ["containernetworking-plugins", "iptables", "curl"],
        "kubelet.resolv_conf": "/run/resolv-for-pods.conf",
        "kubelet.config": {"maxPods": 111},
        "kubelet.verbosity": 1,
        "kubelet.arguments": ["--node-labels=hdss7/tried=yes"],
        "kube_proxy.flags": {"conntrack-min": "131073"},
        "kube_proxy.mode": "nftables",
    },
    "what runs in the cluster": {
        "coredns.replicas": 1,
        "traefik.accept_seconds": 6,
        "traefik.grace_seconds": 11,
        "traefik.log_level": "DEBUG",
        "traefik.access_log": False,
        "traefik.trusted": ["10.9.8.0/24"],
        "traefik.ingress_nginx": True,
        "traefik.ingress_nginx_headers": ["X-Extra"],
        "traefik.gateway": True,
    },
}
# setting -> where it is changed instead
ELSEWHERE: Mapping[str, str] = {
    "site.vip": "an address of its own wants a second edge",
    "site.kubernetes": "tests/lab/test_upgrade.py",
    "site.binaries": "tests/lab/test_upgrade.py",
    "site.binaries.NAME.url": "tests/lab/test_upgrade.py",
    "site.binaries.NAME.sha256": "tests/lab/test_upgrade.py",
    "site.images": "tests/lab/faults/test_rolls.py: another Traefik",
    "site.images.NAME.name": "tests/lab/faults/test_rolls.py: another Traefik",
    "site.images.NAME.url": "tests/lab/faults/test_rolls.py: another Traefik",
    "site.images.NAME.sha256": "tests/lab/faults/test_rolls.py: another Traefik",
    "containerd.package": "a package of containerd.io is none of Debian's",
    "containerd.pause": "the lab has one image of it",
    "containerd.disabled_plugins": "set by the lab for its kernel",
    "containerd.disable_hugetlb_controller": "set by the lab for its kernel",
    "containerd.disable_apparmor": "set by the lab for its kernel",
    "containerd.restrict_oom_score_adj": "set by the lab for its kernel",
    "etcd.package": "Debian has one",
    "kube_proxy.scheduler": "tests/vm: ipvs",
    "kube_proxy.kubeconfig": "tests/lab/test_elsewhere.py",
    "kube_proxy.kubeconfig_path": "tests/lab/test_elsewhere.py",
    "pki.rotate": "tests/lab/faults/test_rolls.py: the CAs are replaced",
    "traefik.replicas": "of a Deployment alone; the lab has the DaemonSet",
}


@pytest.fixture(scope="module")
def site() -> Iterator[Typed]:
    """The default site, deployed from bare."""
    with deployed_site(Typed(NAME)) as made:
        for node in ("hdss7-21", "hdss7-22"):
            made.on(node, "cp /etc/resolv.conf /run/resolv-for-pods.conf")
        yield made


def test_every_setting_that_is_rolled_is_changed_here_or_elsewhere() -> None:
    rolled = {each.name for each in EVERY if each.changes is Changes.ROLLED}
    assert rolled == {*ELSEWHERE, *(name for values in TOGETHER.values() for name in values)}


def words(values: Mapping[str, Any]) -> tuple[str, ...]:
    """--extra-vars for settings by their dotted names."""
    tree: dict[str, dict[str, Any]] = {}
    for name, value in values.items():
        role, _, key = name.partition(".")
        tree.setdefault(role, {})[key] = value
    return ("--extra-vars", json.dumps(tree))


def test_the_settings_of_each_play_are_changed_and_no_request_fails(site: Typed) -> None:
    changed: dict[str, Any] = {}
    for play, values in TOGETHER.items():
        changed.update(values)
        with clients(NAME) as prober:
            deployed = site.invoke("deploy", *words(changed))
            receipt = prober.receipt()
        assert deployed.code == 0, f"{play}: {deployed}"
        assert unharmed(receipt), f"{play}: {receipt}"
        assert f"\n{play}: " in f"\n{deployed.output}", str(deployed)
    verified = site.invoke("verify", *words(changed))
    assert verified.code == 0, str(verified)


def test_all_settings_are_changed_back_together_and_no_request_fails(site: Typed) -> None:
    with clients(NAME) as prober:
        deployed = site.invoke("deploy")
        receipt = prober.receipt()
    assert deployed.code == 0, str(deployed)
    assert unharmed(receipt), receipt
    assert site.invoke("plan").code == 0
