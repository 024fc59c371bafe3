"""Which rule of iptables-save stops a connection, and where a host port leads."""

from __future__ import annotations

import pytest

from tests.unit.urltrace.site import nat
from urltrace.netfilter import led, stopping

KUBE = """\
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:KUBE-FIREWALL - [0:0]
-A INPUT -j KUBE-FIREWALL
-A INPUT -m conntrack --ctstate INVALID -j DROP
-A FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes load balancer firewall" -j KUBE-PROXY-FIREWALL
-A KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m comment --comment "block incoming localnet connections" -j DROP
COMMIT
"""
REJECT = "--reject-with icmp-port-unreachable"


def found(*lines: str, chain: str = "INPUT", text: str = KUBE) -> str:
    added = text.replace("COMMIT\n", "".join(f"{line}\n" for line in lines) + "COMMIT\n")
    return stopping(added, chain, source="10.4.7.11", destination="10.4.7.22", port=81)


def test_the_rules_of_kubernetes_stop_no_client() -> None:
    assert not found()
    assert not found(chain="FORWARD")


@pytest.mark.parametrize(
    "line",
    [
        f"-A INPUT -p tcp -m tcp --dport 81 -j REJECT {REJECT}",
        "-A INPUT -s 10.4.7.11/32 -j DROP",
        "-A INPUT -s 10.4.7.0/24 -d 10.4.7.22/32 -p tcp -m multiport --dports 80:90,443 -j DROP",
        "-A INPUT ! -s 10.4.7.21/32 -p tcp -m tcp --dport 81 -j DROP",
        "[3:180] -A INPUT -p tcp -m tcp --dport 81 -m statistic --mode random --probability 0.5 -j DROP",
    ],
)
def test_a_rule_about_the_connection_stops_it(line: str) -> None:
    assert found(line) == line


@pytest.mark.parametrize(
    "line",
    [
        "-A INPUT -p tcp -m tcp --dport 82 -j DROP",
        "-A INPUT -s 10.4.7.12/32 -j DROP",
        "-A INPUT ! -s 10.4.7.0/24 -p tcp -m tcp --dport 81 -j DROP",
        "-A INPUT -p udp -m udp --dport 81 -j DROP",
        "-A INPUT -i lo -j DROP",
        "-A OUTPUT -p tcp -m tcp --dport 81 -j DROP",
        "-A INPUT -p tcp -m tcp ! --dport 81 -j DROP",
    ],
)
def test_a_rule_about_another_connection_does_not(line: str) -> None:
    assert not found(line)


def test_what_is_accepted_first_is_not_stopped() -> None:
    assert not found("-A INPUT -s 10.4.7.11/32 -p tcp -m tcp --dport 81 -j ACCEPT", "-A INPUT -p tcp -j DROP")


def test_a_chain_of_ones_own_is_followed() -> None:
    line = "-A site -p tcp -m tcp --dport 81 -j DROP"
    assert found("-A INPUT -j site", line) == line


def test_a_policy_stops_what_no_rule_accepts() -> None:
    assert found(text=KUBE.replace(":FORWARD ACCEPT", ":FORWARD DROP"), chain="FORWARD") == ":FORWARD DROP"


def test_a_host_port_leads_to_its_pods_in_the_order_of_the_rules() -> None:
    text = (
        "-A CNI-DN-new -p tcp -m tcp --dport 81 -j DNAT --to-destination 172.7.21.6:80\n"
        "-A CNI-DN-old -p tcp -m tcp --dport 81 -j DNAT --to-destination 172.7.21.5:80\n"
        "-A CNI-HOSTPORT-DNAT -p tcp -m multiport --dports 81 -j CNI-DN-old\n"
        "-A CNI-HOSTPORT-DNAT -p tcp -m multiport --dports 81 -j CNI-DN-new\n"
        "-A PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT\n"
        "-A CNI-DN-else -p tcp -m tcp --dport 8000 -j DNAT --to-destination 172.7.21.9:80\n"
    )
    assert [(one.address, one.port) for one in led(text, 81)] == [("172.7.21.5", 80), ("172.7.21.6", 80)]


@pytest.mark.parametrize("lost", ["PREROUTING", "CNI-HOSTPORT-DNAT"])
def test_a_chain_that_nothing_jumps_to_leads_nowhere(lost: str) -> None:
    lines = [line for line in nat("172.7.21.5").splitlines() if not line.startswith(f"-A {lost} ")]
    assert led(nat("172.7.21.5"), 81)
    assert not led("\n".join(lines), 81)
