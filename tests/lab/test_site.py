"""The whole way: bare hosts become a site that keeps every promise, stay so, and come back after each reboot.

Tests run in the order written, and each leaves the site as declared.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lab import commands
from lab.state import Lab
from provision.project import Project, Selection
from provision.search_path import SearchPath
from provision.verify.gate import Gate
from tests.lab.conftest import LAB_INVENTORY, ROOT
from tests.lab.hosts import traces
from tests.lab.typed import BIN, HOSTS, KUBECTL, NAME, invoke, on, sessions

pytestmark = pytest.mark.usefixtures("site")


def test_bare_hosts_have_become_a_site_that_keeps_every_promise(tmp_path: Path) -> None:
    verified = invoke("verify", "--junit", str(tmp_path / "verify.xml"))
    assert verified.code == 0, str(verified)
    results = (tmp_path / "verify.xml").read_text()
    assert 'errors="0" failures="0"' in results
    assert "test_browser[hdss7-21]" in results


def test_a_second_deploy_is_one_login_and_one_exec_a_host() -> None:
    before = {host: sessions(host) for host in HOSTS}
    again = invoke("deploy", "--json")
    assert again.code == 0, str(again)
    assert again.changes == set()
    hosts = again.document["hosts"]
    assert {name: (h["status"], h["connections"], h["execs"]) for name, h in hosts.items()} == dict.fromkeys(
        HOSTS, ("ok", 1, 1)
    )
    for host in HOSTS:
        logins, executed = sessions(host)
        assert (logins - before[host][0], executed - before[host][1]) == (1, 1), host


def test_a_plan_of_what_is_as_declared_shows_nothing() -> None:
    planned = invoke("plan", "--json")
    assert planned.code == 0, str(planned)
    assert planned.changes == set()


def test_a_line_added_by_hand_is_shown_and_only_it_is_mended() -> None:
    file = "/etc/nginx/conf.d/od.com.conf"
    as_declared = on("hdss7-11", f"sha256sum <{file}")
    on("hdss7-11", f"echo '# by hand' >>{file}")
    planned = invoke("plan")
    assert planned.code == 2, str(planned)
    assert [line.strip() for line in planned.output.splitlines() if re.match(r"\s+[-+](?![-+])", line)] == [
        "-# by hand"
    ]
    assert len(invoke("plan", "--json").changes) == 1
    mended = invoke("deploy", "--limit", "hdss7-11", "--json")
    assert mended.code == 0, str(mended)
    assert len(mended.changes) == 1
    assert on("hdss7-11", f"sha256sum <{file}") == as_declared
    assert invoke("plan").code == 0


# what is done by hand; where; the one resource that is then not as declared; sh that succeeds once it is mended
BY_HAND = {
    "a file deleted": (
        "hdss7-22",
        "rm /etc/apt/sources.list.d/provision.list",
        "File /etc/apt/sources.list.d/provision.list",
        "grep -q /apt /etc/apt/sources.list.d/provision.list",
    ),
    "a wrong mode": ("hdss7-21", "chmod 600 /etc/hosts", "File /etc/hosts", "test $(stat -c %a /etc/hosts) = 644"),
    "a wrong owner": (
        "hdss7-22",
        "chown nobody /etc/resolv.conf",
        "File /etc/resolv.conf",
        "test $(stat -c %U /etc/resolv.conf) = root",
    ),
    "a program stopped": (
        "hdss7-22",
        "supervisorctl stop etcd-server-7-22",
        "Program etcd-server-7-22",
        "curl -fs http://127.0.0.1:2381/health",
    ),
    "a package removed": (
        "hdss7-21",
        "DEBIAN_FRONTEND=noninteractive apt-get -q -y remove conntrack",
        "Package iptables conntrack kmod",
        "conntrack --version",
    ),
    "a manifest edited by kubectl": (
        "hdss7-21",
        f"{KUBECTL} -n kube-public label service nginx-dp --overwrite app=by-hand",
        "Manifests nginx-ds",
        f"{KUBECTL} -n kube-public get service -l app=nginx-dp -o name | grep -q nginx-dp",
    ),
    "a binary replaced": (
        "hdss7-22",
        "cd /opt/kubernetes/server/bin && cp kubectl k && echo >>k && mv k kubectl",
        f"Download {BIN}/kubectl",
        "/opt/kubernetes/server/bin/kubectl version --client",
    ),
}


def test_each_manual_change_is_one_line_of_the_plan() -> None:
    for host, script, _, _ in BY_HAND.values():
        on(host, script)
    deep = ("verify", "--deep", "-k", "downloads", "--limit", "hdss7-22")
    assert "server/bin/kubectl is " in invoke(*deep).output
    expected = {(host, resource) for host, _, resource, _ in BY_HAND.values()}
    planned = invoke("plan", "--json")
    assert planned.code == 2, str(planned)
    assert planned.changes == expected
    mended = invoke("deploy", "--json")
    assert mended.code == 0, str(mended)
    assert mended.changes == expected
    for host, _, _, is_mended in BY_HAND.values():
        on(host, is_mended)
    assert invoke(*deep).code == 0
    assert invoke("plan").code == 0


def test_the_running_mode_of_kube_proxy_is_told_from_what_was_set() -> None:
    # a promise that is broken on purpose: verify names it, the host, and what came back
    set_otherwise = '{"kube_proxy": {"mode": "nftables"}}'
    verified = invoke("verify", "--limit", "hdss7-22", "-k", "kube_proxy and test_mode", "--extra-vars", set_otherwise)
    assert verified.code == 1, str(verified)
    (failed,) = [line for line in verified.output.splitlines() if line.startswith("! ")]
    for word in ("kube_proxy", "hdss7-22", "'iptables'", "nftables"):
        assert word in failed, failed
    assert "Traceback" not in verified.output + verified.errors


def test_a_gate_names_an_orphan_of_kube_proxy() -> None:
    # the course's start script has no exec: what supervisorctl restarts is a shell, and the old program lives on
    project = Project(SearchPath.of(ROOT), (LAB_INVENTORY, Lab.named(NAME).inventory))
    gate = Gate(project, Selection(), retry_seconds=1.0)
    try:
        assert gate("hdss7-22") == ""
        on("hdss7-22", "cp /bin/sleep /run/kube-proxy && setsid -f /run/kube-proxy 300 </dev/null >/dev/null 2>&1")
        assert "/run/kube-proxy 300" in gate("hdss7-22", roles=("kube_proxy",))
        assert gate("hdss7-22", roles=("kubelet",)) == ""
        assert gate("hdss7-21") == ""
    finally:
        on("hdss7-22", "for p in /proc/[0-9]*; do [ $(readlink $p/exe) != /run/kube-proxy ] || kill ${p#/proc/}; done")
        on("hdss7-22", "rm -f /run/kube-proxy")
        gate.close()


def test_a_check_that_nothing_matches_is_bad_usage() -> None:
    verified = invoke("verify", "-k", "no_check_of_this_name")
    assert verified.code == 4, str(verified)


def test_certificates_of_another_ca_are_refused(tmp_path: Path) -> None:
    refused = invoke("deploy", "--extra-vars", f"site.pki={tmp_path}/pki", "--json")
    assert refused.code == 4, str(refused)
    assert refused.changes == set()
    for host in HOSTS:
        said = refused.document["hosts"][host]["error"]
        assert "SHA256:" in said["found"]
        assert "there is none yet" in said["found"]
    assert not (tmp_path / "pki").exists()  # refused before anything is made
    assert invoke("plan").code == 0


def test_a_node_never_ready_is_explained_with_kubelets_log() -> None:
    cut = "OUTPUT -p tcp --dport 7443 -j REJECT"
    on("hdss7-22", f"iptables -I {cut}; supervisorctl stop kube-kubelet-7-22")
    failed = invoke("deploy", "--limit", "hdss7-22", "--extra-vars", "kubelet.ready_timeout=5")
    on("hdss7-22", f"iptables -D {cut}")
    assert failed.code == 1, str(failed)
    assert "kube-kubelet-7-22" in failed.errors
    assert "https://10.4.7.11:7443" in failed.errors
    assert "Traceback" not in failed.output + failed.errors
    mended = invoke("deploy")
    assert mended.code == 0, str(mended)


def test_a_set_with_one_rejected_object_applies_none() -> None:
    # only the API server knows that the port is somebody's; the DaemonSet, which stands before the Service, differs too
    on("hdss7-21", f"{KUBECTL} create service nodeport others --tcp=80 --node-port=8100")
    on("hdss7-21", f"{KUBECTL} label daemonset nginx-ds --overwrite app=by-hand")
    refused = invoke("deploy", "--extra-vars", "nginx_ds.node_port=8100")
    on("hdss7-21", f"{KUBECTL} delete service others")
    assert refused.code == 1, str(refused)
    assert re.match(r"\s*hdss7-21, role nginx_ds, roles/nginx_ds\.py:\d+: ", refused.errors), refused.errors
    assert "nodePort: Invalid value: 8100: provided port is already allocated" in refused.errors
    assert "Traceback" not in refused.output + refused.errors
    assert on("hdss7-21", f"{KUBECTL} get daemonset nginx-ds -o jsonpath={{.metadata.labels.app}}") == "by-hand"
    mended = invoke("deploy", "--json")
    assert (mended.code, mended.changes) == (0, {("hdss7-21", "Manifests nginx-ds")}), str(mended)


@pytest.mark.parametrize("host", ["hdss7-22", "hdss7-21", "hdss7-11"])
def test_after_a_reboot_every_promise_is_kept_without_a_deploy(host: str) -> None:
    commands.reboot(NAME, host, say=lambda _: None)
    verified = invoke("verify")
    assert verified.code == 0, str(verified)


def test_after_all_reboots_there_is_nothing_to_deploy() -> None:
    planned = invoke("plan")
    assert planned.code == 0, str(planned)


def test_down_and_up_again_brings_the_site_back() -> None:
    commands.down(NAME, say=lambda _: None)
    assert traces(NAME) == []
    commands.up(NAME, say=lambda _: None)
    verified = invoke("verify")
    assert verified.code == 0, str(verified)
