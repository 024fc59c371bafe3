"""ProxyMode: what another mode of kube-proxy has left is named, and what is not Kubernetes' is never taken for it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from provision.errors import FailedError
from provision.facts.host import ShellAnswer, ShellQuestion
from provision.resources import Action, Change, ProxyMode
from provision.resources.kubernetes.proxy_rules import CHAINS, SAVED, Mode
from provision.resources.optional.reversible import Rollback
from tests.unit.conftest import Declared

PROGRAM = "kube-proxy-7-21"

# /proc/net/ip_vs of Linux 6.1: Services, a node port, and servers of other programs
IP_VS = (Path(__file__).parents[3] / "kubeproxy/recorded/ip_vs.txt").read_text()
IF_INET6 = (
    "fd000000000000000000000000000007 03 80 00 80 kube-ipvs0\nfd000000000000000000000000000008 02 40 00 80 eth0\n"
)
NODE_PORTS = """Name: KUBE-NODE-PORT-TCP
Type: bitmap:port
Revision: 3
Header: range 0-65535
Size in memory: 8264
References: 1
Number of entries: 1
Members:
8000
"""
STUBS = {
    "ip": "exit 1",
    "ipset": f'[ "$1 $2" != "list -n" ] || {{ echo KUBE-NODE-PORT-TCP; exit; }}\ncat <<"END"\n{NODE_PORTS}END',
    "nft": 'echo "table ip nat"; echo "table ip kube-proxy"',
    "iptables-save": "cat <<'END'\n*nat\n:PREROUTING ACCEPT [0:0]\n:KUBE-SVC-NPX46M4PTMTKRN6Y - [0:0]\n"
    ":KUBE-MARK-MASQ - [0:0]\n:KUBE-NODE-PORT - [0:0]\n:KUBE-FIREWALL - [0:0]\nCOMMIT\nEND",
    "ip6tables-save": "exit 1",
}


def mode(name: Mode) -> ProxyMode:
    return ProxyMode(program=PROGRAM, mode=name, services="192.168.0.0/16")


def compared(resource: ProxyMode, said: str) -> Change | None:
    outcome = resource.compare({resource.questions()[0]: ShellAnswer(0, said)}, ())
    assert outcome is None or isinstance(outcome, Change)
    return outcome


def asked(name: Mode, folder: Path, held: str = IP_VS) -> str:
    """What the question prints where the commands of a host give recorded outputs."""
    (folder / "ip_vs").write_text(held)
    (folder / "if_inet6").write_text(IF_INET6)
    for command, body in STUBS.items():
        (folder / command).write_text(f"#!/bin/sh\n{body}\n")
        (folder / command).chmod(0o755)
    question = mode(name).questions()[0]
    assert isinstance(question, ShellQuestion)
    script = question.fragment.replace("/proc/[0-9]*/exe", "/none")
    for file in ("ip_vs", "if_inet6"):
        script = script.replace(f"/proc/net/{file}", str(folder / file))
    environment = {"PATH": f"{folder}:/usr/sbin:/usr/bin:/sbin:/bin"}
    done = subprocess.run(
        [shutil.which("sh") or "sh"], input=script, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_host_without_anything_of_other_modes_is_as_declared() -> None:
    assert compared(mode("iptables"), "") is None


def test_what_is_left_is_counted_in_the_plan_and_listed_in_its_diff() -> None:
    resource = mode("ipvs")
    said = "chain KUBE-SVC-A iptables nat\nchain KUBE-SEP-B iptables nat\ntable ip\norphan 4711\n"
    change = compared(resource, said)
    assert change is not None
    assert change.summary == "remove what other modes left: 2 chains, 1 nft table; end 4711 (orphaned)"
    shown = resource.explain(change, {resource.questions()[0]: ShellAnswer(0, said)})
    assert shown.diff.splitlines() == [
        "-chain KUBE-SVC-A iptables nat",
        "-chain KUBE-SEP-B iptables nat",
        "-table ip",
        "-orphan 4711",
    ]


def test_virtual_servers_are_matched_by_address_and_node_port(tmp_path: Path) -> None:
    said = asked("iptables", tmp_path)
    assert [line for line in said.splitlines() if line.split()[0] in ("server", "foreign")] == [
        "foreign TCP 10.4.7.10:443",
        "server TCP 192.168.0.1:443",
        "server UDP 192.168.0.2:53",
        "server TCP 10.4.7.23:8000",
        "server TCP [fd00:0000:0000:0000:0000:0000:0000:0007]:80",
        "foreign TCP [fd00:0000:0000:0000:0000:0000:0000:0008]:80",
        "server TCP 192.168.9.9:80",
        "foreign FWM 7",
    ]


@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("iptables", ["chain KUBE-NODE-PORT iptables nat", "table ip", "set KUBE-NODE-PORT-TCP"]),
        (
            "nftables",
            [
                "chain KUBE-SVC-NPX46M4PTMTKRN6Y iptables nat",
                "chain KUBE-NODE-PORT iptables nat",
                "set KUBE-NODE-PORT-TCP",
            ],
        ),
        ("ipvs", ["chain KUBE-SVC-NPX46M4PTMTKRN6Y iptables nat", "table ip"]),
    ],
)
def test_each_mode_looks_for_what_the_others_leave(name: Mode, left: list[str], tmp_path: Path) -> None:
    said = asked(name, tmp_path, held="")
    assert said.splitlines() == left


def test_foreign_virtual_servers_stop_the_change() -> None:
    with pytest.raises(FailedError) as error:
        compared(mode("nftables"), "link kube-ipvs0\nforeign TCP 10.4.7.10:443\nforeign FWM 7\n")
    assert "TCP 10.4.7.10:443, FWM 7" in str(error.value)
    with pytest.raises(FailedError):  # before kube-proxy starts in the mode that would remove them
        compared(mode("ipvs"), "foreign TCP 10.4.7.10:443\n")


def test_foreign_ipvs_servers_are_ignored_without_kubernetes_rules() -> None:
    assert compared(mode("iptables"), "foreign TCP 10.4.7.10:443\n") is None


def test_it_is_undone_by_the_mode_that_ran_before_or_said_why_not() -> None:
    assert mode("nftables").rollback(Action.RUN, b"iptables\n") == Rollback((mode("iptables"),))
    rollback = mode("nftables").rollback(Action.RUN, b"")
    assert rollback.resources == ()
    assert SAVED in rollback.why


@pytest.mark.parametrize(
    "chain",
    ["KUBE-FIREWALL", "KUBE-KUBELET-CANARY", "KUBE-IPTABLES-HINT", "KUBE-ROUTER-INPUT", "KUBE-POD-FW-ABCDEF", "CNI-X"],
)
def test_chains_of_kubelet_and_of_others_are_never_kube_proxy_s(chain: str) -> None:
    found = subprocess.run(["grep", "-E", CHAINS], input=chain, capture_output=True, text=True, check=False)
    assert found.stdout == ""


def test_proxy_mode_comes_between_script_and_program(declared: Declared) -> None:
    found = declared("hdss7-21", "kube_proxy", made=False)
    keys = list(found)
    at = keys.index(f"ProxyMode {PROGRAM}")
    assert keys[at + 1] == f"Program {PROGRAM}"
    assert found[f"ProxyMode {PROGRAM}"] in found[f"Program {PROGRAM}"].restart_on
