"""kube-proxy: its mode, its start script, and what it needs of a host."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from provision.errors import InputError
from provision.resources import Pending
from tests.unit.conftest import Declared

BIN = "/opt/kubernetes-v1.34.4/server/bin"


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


CONNTRACK = """\
#!/bin/sh
# lists $FOLDER/noted; deletes what was made to "$3"; fails the first time, as when an entry is gone by itself
cd "$FOLDER" || exit
[ "$1" = -L ] && { echo "$*" >>listed; cat noted; exit; }
echo "$*" >>deleted
[ -e failed ] || { touch failed; exit 1; }
sed -i "/dst=$3 .*src=$5 /d" noted
"""


def test_untranslated_entries_are_deleted_until_none_is_left(declared: Declared, tmp_path: Path) -> None:
    found = declared("hdss7-21", "kube_proxy", made=False)
    flush = found["Command flush untranslated conntrack entries"]
    assert list(found).index(flush.key) > list(found).index("Program kube-proxy-7-21")
    assert [resource.key for resource in flush.on_change] == ["ProxyMode kube-proxy-7-21"]
    (tmp_path / "noted").write_text(NOTED)
    (tmp_path / "conntrack").write_text(CONNTRACK)
    (tmp_path / "conntrack").chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "FOLDER": str(tmp_path)}
    subprocess.run(["sh", "-euc", flush.run], env=environment, check=True, timeout=30)
    assert set((tmp_path / "listed").read_text().splitlines()) == {"-L -d 192.168.0.0/16"}
    both = ["-D -d 192.168.0.2 -r 192.168.0.2", "-D -d 192.168.2.9 -r 192.168.2.9"]
    assert (tmp_path / "deleted").read_text().splitlines() == [*both, both[0]]
    assert (tmp_path / "noted").read_text().splitlines() == NOTED.splitlines()[2:]


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
    assert "Download /opt/kubernetes/server/bin/kube-proxy" not in found
    start = found["File /opt/kubernetes/server/bin/kube-proxy.sh"].content.decode()
    assert "--kubeconfig=/etc/kubernetes/proxy.conf" in start


def test_what_only_the_lab_needs_is_no_default(declared: Declared) -> None:
    from roles.kube_proxy import Settings

    assert Settings().flags == {}
    assert "--conntrack-min=0" in script(declared)
