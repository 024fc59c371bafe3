"""kubelet: who it is, how it reaches the API, and when it is believed to be up."""

from __future__ import annotations

import yaml
from cryptography import x509

from tests.unit.conftest import Declared

BIN = "/opt/kubernetes-v1.34.4/server/bin"


def test_it_says_who_it_is_as_the_node_authorizer_wants_it(declared: Declared) -> None:
    kubelet = declared("hdss7-21", "kubelet")
    certificate = x509.load_pem_x509_certificate(kubelet[f"File {BIN}/cert/kubelet.pem"].content)
    assert certificate.subject.rfc4514_string() == "CN=system:node:hdss7-21.host.com,O=system:nodes"
    assert "--hostname-override=hdss7-21.host.com" in kubelet[f"File {BIN}/kubelet.sh"].content.decode()


def test_it_reaches_the_api_through_the_edge(declared: Declared) -> None:
    login = yaml.safe_load(declared("hdss7-22", "kubelet")[f"File {BIN}/conf/kubelet.kubeconfig"].content)
    assert login["clusters"][0]["cluster"]["server"] == "https://10.4.7.11:7443"
    elsewhere = declared("hdss7-22", "kubelet", "site.vip=10.4.7.10")[f"File {BIN}/conf/kubelet.kubeconfig"]
    assert b"server: https://10.4.7.10:7443" in elsewhere.content


def test_what_only_the_lab_needs_is_no_default(declared: Declared) -> None:
    config = yaml.safe_load(declared("hdss7-21", "kubelet")[f"File {BIN}/conf/kubelet.yaml"].content)
    assert (config["cgroupDriver"], config["failSwapOn"]) == ("cgroupfs", False)
    assert config["clusterDNS"] == ["192.168.0.2"]
    from roles.kubelet import Settings

    assert (Settings().cgroup_driver, Settings().config) == ("systemd", {})


def test_nobody_may_ask_it_without_a_name(declared: Declared) -> None:
    config = yaml.safe_load(declared("hdss7-21", "kubelet")[f"File {BIN}/conf/kubelet.yaml"].content)
    assert config["authentication"]["anonymous"] == {"enabled": False}
    assert config["authorization"] == {"mode": "Webhook"}


def test_it_is_up_when_the_api_calls_the_node_ready(declared: Declared) -> None:
    program = declared("hdss7-21", "kubelet")["Program kube-kubelet-7-21"]
    assert "'https://10.4.7.11:7443/api/v1/nodes/hdss7-21.host.com?pretty=0' | sed" in program.ready
    assert program.log == "/data/logs/kubernetes/kube-kubelet/kubelet.stdout.log"
