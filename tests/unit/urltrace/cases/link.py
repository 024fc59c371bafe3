"""Faults of the way from the edge to the node: hop, cause, words of the sentence, and what breaks the evidence."""

from __future__ import annotations

from tests.unit.urltrace.cases.changes import filtered, rule
from tests.unit.urltrace.site import EDGE, N22, Case, Change, http, lost, page, put, refused
from urltrace.evidence import Answer

LOST_22 = put(lost("node", "10.4.7.22:81", EDGE.name))


def ways(there: str, back: str) -> Change:
    return put(Answer("route 10.4.7.22", EDGE.name, there), Answer("route 10.4.7.11", N22.name, back))


CASES: list[Case] = [
    (
        "link",
        "link-reject",
        "the firewall of hdss7-11 stops hdss7-11 from reaching 10.4.7.22:81",
        [
            put(refused("node", "10.4.7.22:81", EDGE.name)),
            rule(
                EDGE.name,
                "-A OUTPUT -d 10.4.7.22/32 -p tcp -m tcp --dport 81 -j REJECT --reject-with icmp-port-unreachable",
            ),
        ],
    ),
    (
        "link",
        "link-drop",
        "the firewall of hdss7-22 stops",
        [LOST_22, rule(N22.name, "-A FORWARD -p tcp --dport 80 -j DROP")],
    ),
    (
        "link",
        "link-drop",
        ":FORWARD DROP",
        [
            LOST_22,
            put(Answer("filter", N22.name, ":INPUT ACCEPT [0:0]\n:FORWARD DROP [9:9]\n")),
        ],
    ),
    (
        "link",
        "forwarding-off",
        "the kernel of hdss7-22 forwards no packets",
        [
            LOST_22,
            put(Answer("sysctl", N22.name, "net.ipv4.ip_forward = 0\n")),
        ],
    ),
    (
        "link",
        "link-route",
        "hdss7-11 has a wrong route to hdss7-22 (10.4.7.22): 10.4.7.22 via 10.4.7.99 dev eth0",
        [LOST_22, ways("10.4.7.22 via 10.4.7.99 dev eth0 src 10.4.7.11", "10.4.7.11 dev eth0 src 10.4.7.22")],
    ),
    (
        "link",
        "link-route",
        "hdss7-22 has a wrong route to hdss7-11",
        [LOST_22, ways("10.4.7.22 dev eth0 src 10.4.7.11", "10.4.7.11 via 10.4.7.99 dev eth0")],
    ),
    (
        "link",
        "link-neighbour",
        "10.4.7.22 dev eth0 lladdr 02:00:00:00:00:99 PERMANENT",
        [LOST_22, put(Answer("neighbours", EDGE.name, "10.4.7.22 dev eth0 lladdr 02:00:00:00:00:99 PERMANENT\n"))],
    ),
    (
        "link",
        "link-drop",
        "sends nothing of hdss7-22 back to hdss7-11: -A FORWARD -d 10.4.7.11/32",
        [LOST_22, rule(N22.name, "-A FORWARD -d 10.4.7.11/32 -p tcp -m tcp --sport 80 -j DROP")],
    ),
    (
        "link",
        "link-drop",
        "the firewall of hdss7-22 stops hdss7-11",
        [
            LOST_22,
            put(Answer("filter raw", N22.name, "-A PREROUTING -s 10.4.7.11/32 -p tcp -m tcp --dport 81 -j DROP\n")),
        ],
    ),
    (
        "link",
        "large-packets",
        "connects to 10.4.7.22:81 and gets no whole answer",
        [put(http("node", "10.4.7.22:81", EDGE.name, page("200 OK"), exit=28, total=1.3))],
    ),
    (
        "link",
        "reverse-path",
        "drops what hdss7-11 (10.4.7.11) sends it at eth0: net.ipv4.conf.eth0.rp_filter is strict, and its route back",
        [LOST_22, put(filtered("10.4.7.11"))],
    ),
    ("link", "link-lost", "connections from hdss7-11", [LOST_22, put(filtered("10.4.7.11", mode=2))]),
    ("link", "link-lost", "connections from hdss7-11", [LOST_22, put(filtered("10.4.8.0/24"))]),
    ("link", "link-lost", "connections from hdss7-11 to 10.4.7.22:81 are not answered", [LOST_22]),
    (
        "link",
        "large-packets",
        "large packets from hdss7-11 to hdss7-22 are lost",
        [
            put(http("large", "10.4.7.22:81", EDGE.name, exit=28, total=3.0)),
            rule(N22.name, "-A INPUT -m length --length 1000:65535 -j DROP"),
        ],
    ),
    (
        "link",
        "link-reject",
        "a firewall rule of hdss7-11 itself rejects what it sends to 10.4.7.22:81",
        [
            put(refused("node", "10.4.7.22:81", EDGE.name)),
            put(Answer("icmp", EDGE.name, "10.4.7.22:81 4 4 5 5\n")),
        ],
    ),
    (
        "link",
        "link-refused",
        "are refused, and hdss7-22 itself gets an answer there",
        [
            put(refused("node", "10.4.7.22:81", EDGE.name)),
            put(Answer("icmp", EDGE.name, "10.4.7.22:81 4 4 5 4\n")),
        ],
    ),
]
