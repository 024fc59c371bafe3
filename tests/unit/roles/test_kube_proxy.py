"""kube-proxy: its mode, its start script, and what it needs of a host."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from provision.errors import InputError
from provision.resources import Pending
from tests.unit.conftest import Declared

BIN = "/opt/kubernetes/server/bin"


def script(declared: Declared, *extra: str) -> str:
    return str(declared("hdss7-21", "kube_proxy", *extra, made=False)[f"File {BIN}/kube-proxy.sh"].content.decode())


def test_the_start_script_leaves_no_shell_that_could_orphan_it(declared: Declared) -> None:
    assert f"\nexec {BIN}/kube-proxy \\\n" in script(declared)


def test_a_second_kube_proxy_cannot_run_beside_it_in_silence(declared: Declared) -> None:
    assert "--bind-address-hard-fail=true" in script(declared)


def test_supervisord_stops_all_of_it_in_good_order(declared: Declared) -> None:
    unit = declared("hdss7-21", "kube_proxy", made=False)[
        "File /etc/supervisor/conf.d/kube-proxy.conf"
    ].content.decode()
    assert "[program:kube-proxy-7-21]" in unit
    for line in ("stopsignal=TERM", "stopasgroup=true", "killasgroup=true"):
        assert f"\n{line}\n" in unit
    assert "\nstdout_logfile=/data/logs/kubernetes/kube-proxy/proxy.stdout.log\n" in unit


@pytest.mark.parametrize(
    ("mode", "rules", "package"),
    [
        ("iptables", "iptables -w 5 -t nat -n -L KUBE-SERVICES", "iptables"),
        ("nftables", "nft list map ip kube-proxy service-ips", "nftables"),
        ("ipvs", "ip addr show dev kube-ipvs0", "ipset"),
    ],
)
def test_it_is_ready_once_the_rules_of_its_mode_are_there(
    declared: Declared, mode: str, rules: str, package: str
) -> None:
    found = declared("hdss7-21", "kube_proxy", f"kube_proxy.mode={mode}", made=False)
    assert rules in found["Program kube-proxy-7-21"].ready
    assert "10256/healthz" in found["Program kube-proxy-7-21"].ready
    assert any(package in resource.names for key, resource in found.items() if key.startswith("Package"))
    assert f"--proxy-mode={mode}" in script(declared, f"kube_proxy.mode={mode}")


NOTED = """\
tcp      6 119 SYN_SENT src=172.7.21.4 dst=192.168.2.9 sport=1 dport=80 [UNREPLIED] src=192.168.2.9 dst=10.4.7.21
udp      17 29 src=172.7.21.4 dst=192.168.0.2 sport=2 dport=53 [UNREPLIED] src=192.168.0.2 dst=10.4.7.21
udp      17 20 src=172.7.21.4 dst=192.168.0.2 sport=3 dport=53 src=172.7.22.2 dst=172.7.21.4 sport=53 dport=3 [ASSURED]
tcp      6 86399 ESTABLISHED src=172.7.21.4 dst=192.168.2.7 sport=4 dport=80 src=172.7.22.3 dst=172.7.21.4 sport=80
"""


def test_once_it_runs_only_what_no_rule_has_translated_is_forgotten(declared: Declared, tmp_path: Path) -> None:
    found = declared("hdss7-21", "kube_proxy", made=False)
    purge = found["Command forget what no rule has translated"]
    assert list(found).index(purge.key) > list(found).index("Program kube-proxy-7-21")
    assert [resource.key for resource in purge.on_change] == ["ProxyMode kube-proxy-7-21"]
    stand_in = (
        f'[ "$1" = -D ] && echo "$*" >>{tmp_path}/deleted || {{ echo "$*" >{tmp_path}/listed; cat {tmp_path}/noted; }}'
    )
    (tmp_path / "noted").write_text(NOTED)
    (tmp_path / "conntrack").write_text(f"#!/bin/sh\n{stand_in}\n")
    (tmp_path / "conntrack").chmod(0o755)
    path = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    subprocess.run(["sh", "-euc", purge.run], env=path, check=True, timeout=30)
    assert (tmp_path / "listed").read_text() == "-L -d 192.168.0.0/16\n"
    deleted = (tmp_path / "deleted").read_text().splitlines()
    assert deleted == ["-D -d 192.168.0.2 -r 192.168.0.2", "-D -d 192.168.2.9 -r 192.168.2.9"]


def test_a_misspelt_mode_is_refused_with_the_one_meant(declared: Declared) -> None:
    with pytest.raises(InputError, match="Did you mean 'iptables'") as error:
        declared("hdss7-21", "kube_proxy", "kube_proxy.mode=iptabels", made=False)
    assert "--extra-vars" in str(error.value)


def test_a_scheduler_outside_ipvs_means_nothing_and_is_refused(declared: Declared) -> None:
    with pytest.raises(InputError, match="means nothing in mode iptables"):
        declared("hdss7-21", "kube_proxy", "kube_proxy.scheduler=rr", made=False)
    assert "--ipvs-scheduler=nq" in script(declared, "kube_proxy.mode=ipvs", "kube_proxy.scheduler=nq")


def test_the_kernel_is_looked_at_before_anything_of_ipvs_is_written(declared: Declared) -> None:
    keys = list(declared("hdss7-21", "kube_proxy", "kube_proxy.mode=ipvs", made=False))
    assert keys.index("Command load what ipvs needs") < keys.index("File /etc/modules-load.d/kube-proxy.conf")
    assert keys.index("Command load what ipvs needs") < keys.index(f"File {BIN}/kube-proxy.sh")


def test_the_kubeconfig_is_secret_and_unknown_at_first(declared: Declared) -> None:
    login = declared("hdss7-21", "kube_proxy")[f"File {BIN}/conf/kube-proxy.kubeconfig"]
    assert (login.mode, login.secret) == ("0600", True)
    early = declared("hdss7-22", "kube_proxy", "site.pki=nowhere", made=False)
    assert isinstance(early[f"File {BIN}/conf/kube-proxy.kubeconfig"].content, Pending)


def test_an_existing_cluster_brings_kubeconfig_and_program(declared: Declared) -> None:
    with pytest.raises(InputError, match="nothing says how kube-proxy logs in"):
        declared("hdss7-21", "kube_proxy", "site.managed=false", made=False)
    extra = ("site.managed=false", '{"binaries": {}}', "kube_proxy.kubeconfig_path=/etc/kubernetes/proxy.conf")
    found = declared("hdss7-21", "kube_proxy", *extra, made=False)
    assert f"Download {BIN}/kube-proxy" not in found
    assert "--kubeconfig=/etc/kubernetes/proxy.conf" in script(declared, *extra)


def test_what_only_the_lab_needs_is_no_default(declared: Declared) -> None:
    from roles.kube_proxy import Settings

    assert Settings().flags == {}
    assert "--conntrack-min=0" in script(declared)
