"""A port or a flag that takes something away from another part of the site is refused, with whose it is."""

from __future__ import annotations

import pytest

from provision.errors import InputError
from tests.unit.conftest import Declared


@pytest.mark.parametrize(
    ("role", "written", "whose"),
    [
        ("traefik", "site.traefik_port=10250", "kubelet"),
        ("traefik", "site.traefik_port=6443", "the API server"),
        ("traefik", "site.traefik_port=10249", "kube-proxy's metrics"),
        ("traefik", "site.traefik_port=10256", "kube-proxy's healthz"),
        ("traefik", "site.traefik_port=2379", "etcd"),
        ("edge", "site.traefik_port=2380", "etcd"),
        ("edge", "site.traefik_port=22", "sshd"),
        ("edge", "site.api_port=80", "the edge"),
        ("edge", "site.api_port=53", "BIND"),
        ("edge", "site.api_port=2379", "etcd"),
    ],
)
def test_a_port_of_another_program_is_refused(declared: Declared, role: str, written: str, whose: str) -> None:
    with pytest.raises(InputError) as error:
        declared("hdss7-11" if role == "edge" else "hdss7-21", role, written, made=False)
    assert f"belongs to {whose}" in str(error.value)
    assert f"--extra-vars: {written.replace('=', ' ')}" in str(error.value)


@pytest.mark.parametrize("written", ["site.traefik_port=8080", "site.api_port=6443", "site.traefik_port=80"])
def test_a_port_of_a_program_on_other_hosts_is_free(declared: Declared, written: str) -> None:
    assert declared("hdss7-11", "edge", written, made=False)


@pytest.mark.parametrize(
    ("role", "written", "instead"),
    [
        ("kube_proxy", '{"kube_proxy": {"flags": {"proxy-mode": "ipvs"}}}', "kube_proxy.mode"),
        ("kube_proxy", '{"kube_proxy": {"flags": {"kubeconfig": "/x"}}}', "kube_proxy.kubeconfig_path"),
        ("kube_proxy", '{"kube_proxy": {"flags": {"cluster-cidr": "10.0.0.0/8"}}}', "site.cluster_cidr"),
        ("kube_proxy", '{"kube_proxy": {"flags": {"config": "/x"}}}', "single flags"),
        ("kube_apiserver", '{"kube_apiserver": {"arguments": ["--a=b", "--v=4"]}}', "`verbosity`"),
        ("kube_apiserver", '{"kube_apiserver": {"arguments": ["--service-node-port-range=1-2"]}}', "site.node_ports"),
        ("kube_controller_manager", '{"kube_controller_manager": {"arguments": ["--cluster-cidr=x"]}}', "site.cluster"),
        ("kube_scheduler", '{"kube_scheduler": {"arguments": ["--kubeconfig=/x"]}}', "site.pki"),
        ("kubelet", '{"kubelet": {"arguments": ["--root-dir=/x"]}}', "kubelet.root"),
        ("kubelet", '{"kubelet": {"config": {"clusterDNS": ["1.1.1.1"]}}}', "site.cluster_dns"),
    ],
)
def test_a_flag_that_contradicts_a_setting_is_refused(
    declared: Declared, role: str, written: str, instead: str
) -> None:
    with pytest.raises(InputError, match="contradicts a setting") as error:
        declared("hdss7-21", role, written)
    assert instead in str(error.value)
    assert "--extra-vars:1" in str(error.value)
