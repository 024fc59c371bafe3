"""API server, controller manager and scheduler, as the course has them and with its traps mended."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography import x509

from provision.errors import InputError
from provision.resources import Pending
from roles._authority import PendingCertificate
from tests.unit.conftest import Declared

BIN = "/opt/kubernetes-v1.34.4/server/bin"
ROLES = ("kube_apiserver", "kube_controller_manager", "kube_scheduler")


def script(declared: Declared, host: str, role: str) -> str:
    return str(declared(host, role)[f"File {BIN}/{role.replace('_', '-')}.sh"].content.decode())


@pytest.mark.parametrize("role", ROLES)
def test_a_stop_signal_reaches_the_program_and_nothing_is_left_behind(declared: Declared, role: str) -> None:
    """The course's script without exec, and QUIT, leave an orphan with the ports, or a dump instead of an end."""
    name = role.replace("_", "-")
    assert f"\nexec {BIN}/{name} \\\n" in script(declared, "hdss7-21", role)
    unit = declared("hdss7-21", role)[f"File /etc/supervisor/conf.d/{name}.conf"].content.decode().splitlines()
    assert {"stopasgroup=true", "killasgroup=true", "stopsignal=TERM"} <= set(unit)
    assert f"[program:{name}-7-21]" in unit


@pytest.mark.parametrize("role", ROLES)
def test_a_site_with_a_cluster_of_its_own_gets_none_of_it(declared: Declared, role: str) -> None:
    assert declared("hdss7-21", role, "site.managed=false", made=False) == {}


def test_the_api_server_has_the_course_s_networks_and_every_member(declared: Declared) -> None:
    text = script(declared, "hdss7-21", "kube_apiserver")
    assert "--service-cluster-ip-range=192.168.0.0/16" in text
    assert "--service-node-port-range=3000-29999" in text
    assert "--etcd-servers=https://10.4.7.11:2379,https://10.4.7.21:2379,https://10.4.7.22:2379" in text
    assert "--authorization-mode=Node,RBAC" in text


def test_tokens_are_not_signed_with_the_ca_s_key_which_no_host_has(declared: Declared) -> None:
    for role in ROLES:
        keys = declared("hdss7-21", role)
        assert not [key for key in keys if "ca-key" in key]
        assert "ca-key" not in script(declared, "hdss7-21", role)


def test_the_api_server_s_certificate_is_good_for_each_way_to_it(declared: Declared) -> None:
    pem = declared("hdss7-21", "kube_apiserver")[f"File {BIN}/cert/apiserver.pem"].content
    certificate = x509.load_pem_x509_certificate(pem)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    addresses = {str(address) for address in names.get_values_for_type(x509.IPAddress)}
    assert addresses == {"192.168.0.1", "127.0.0.1", "10.4.7.11", "10.4.7.21", "10.4.7.22"}
    assert "kubernetes.default.svc.cluster.local" in names.get_values_for_type(x509.DNSName)
    assert certificate.not_valid_after_utc > datetime.now(UTC)


def test_masters_reach_the_api_locally_not_by_the_edge(declared: Declared) -> None:
    for role, name in zip(ROLES, ("admin", "kube-controller-manager", "kube-scheduler"), strict=True):
        login = declared("hdss7-22", role)[f"File {BIN}/conf/{name}.kubeconfig"]
        assert b"server: https://127.0.0.1:6443\n" in login.content
        assert (login.mode, login.secret) == ("0600", True)


def test_only_the_first_master_speaks_for_the_cluster(declared: Declared) -> None:
    assert "Manifests kubelet-api" in declared("hdss7-21", "kube_apiserver")
    assert "Manifests kubelet-api" not in declared("hdss7-22", "kube_apiserver")


def test_before_the_first_deploy_the_plan_says_what_makes_the_keys(declared: Declared) -> None:
    planned = declared("hdss7-21", "kube_apiserver", made=False)
    assert planned[f"File {BIN}/cert/sa-key.pem"].content == Pending("deploy makes sa-key.pem")
    assert planned[f"File {BIN}/conf/admin.kubeconfig"].content == PendingCertificate(
        "deploy makes the CA", "kubernetes-ca"
    )


def test_a_missing_download_url_names_the_setting(declared: Declared) -> None:
    with pytest.raises(InputError, match=r"site\.binaries\.kube-scheduler\.url"):
        declared("hdss7-21", "kube_scheduler", '{"binaries": {}}')
