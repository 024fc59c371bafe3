"""Faults of the pods: hop, cause, words of the sentence, and what breaks the evidence."""

from __future__ import annotations

from tests.unit.urltrace.cases.changes import BAD_GATEWAY, filtered
from tests.unit.urltrace.site import N21, N22, PODS, Case, Change, client, everywhere, http, lost, page, put, refused
from urltrace.evidence import Answer

EVERY_POD = [(f"{ip}:8080", node.name) for ip in PODS for node in (N21, N22)]


def pods(*answers: Answer) -> list[Change]:
    return [everywhere(BAD_GATEWAY), put(*answers)]


def listening(*places: str) -> Change:
    """What each pod's own node says of the sockets in it."""
    said = "".join(f"LISTEN 0      5      {place:<15} 0.0.0.0:*   \n" for place in places)
    return put(*(Answer(f"listen pod {ip}:8080", node.name, said) for ip, node in zip(PODS, (N21, N22), strict=True)))


def no_http(kind: str, target: str, location: str) -> Answer:
    stats = "curl: (1) Received HTTP/0.9 when not allowed\nexit=1 connect=0.001 first=0.0 total=0.01 from=1.2.3.4\n"
    return Answer(f"http {kind} {target}", location, "\n\n", 1, stats)


CASES: list[Case] = [
    ("pod", "pod-refuses", "nothing listens on 172.7.21.7:8080", pods(*(refused("pod", *one) for one in EVERY_POD))),
    (
        "pod",
        "pod-refuses",
        "nothing listens on 172.7.21.7:8080 in pod 172.7.21.7:8080: its program listens on 127.0.0.1:8080, *:9090",
        [*pods(*(refused("pod", *one) for one in EVERY_POD)), listening("127.0.0.1:8080", "*:9090")],
    ),
    (
        "pod",
        "pod-closes",
        "gives no answer on its own node: it connected, and the connection was closed without an answer",
        [*pods(*(refused("pod", *one) for one in EVERY_POD)), listening("0.0.0.0:8080")],
    ),
    (
        "pod",
        "pod-silent",
        "gives no answer on its own node",
        pods(*(http("pod", *one, exit=28, total=3.0) for one in EVERY_POD)),
    ),
    ("pod", "pod-closes", "was closed without an answer", pods(*(http("pod", *one, exit=56) for one in EVERY_POD))),
    (
        "pod",
        "pod-route",
        "hdss7-21 does not reach pod 172.7.22.7:8080",
        [
            put(lost("pod", "172.7.22.7:8080", N21.name)),
            put(Answer("routes", N21.name, "172.7.22.7 via 10.4.7.254 dev eth0\n")),
        ],
    ),
    (
        "pod",
        "application",
        "the application answers 500 itself",
        [
            everywhere(page("500 Internal Server Error")),
            put(*(http("pod", *one, page("500 Internal Server Error")) for one in EVERY_POD)),
        ],
    ),
    (
        "pod",
        "pod-no-http",
        "speaks no HTTP",
        pods(*(no_http("pod", *one) for one in EVERY_POD)),
    ),
    (
        "pod",
        "redirect-loop",
        "answers 302 and leads back to itself: http://demo.od.com/",
        [
            everywhere("HTTP/1.1 302 Found\nLocation: http://demo.od.com/\n\n"),
            put(
                *(http("pod", *one, "HTTP/1.1 302 Found\nLocation: http://demo.od.com/\n\n") for one in EVERY_POD),
            ),
        ],
    ),
    (
        "pod",
        "pod-slow",
        "takes 7.0 s to answer",
        [
            put(http("pod", "172.7.21.7:8080", N21.name, page("200 OK"), total=7.0)),
            client(page("504 Gateway Timeout")),
        ],
    ),
    (
        "pod",
        "pod-firewall",
        "the firewall of hdss7-22 stops hdss7-21 from reaching pod 172.7.22.7:8080",
        [
            put(lost("pod", "172.7.22.7:8080", N21.name)),
            put(
                Answer(
                    "filter",
                    N22.name,
                    ":FORWARD ACCEPT [0:0]\n-A FORWARD -d 172.7.22.0/24 -p tcp --dport 8080 -j DROP\n",
                )
            ),
        ],
    ),
    (
        "pod",
        "pod-route",
        "hdss7-22 does not reach pod 172.7.21.7:8080",
        [
            # a Traefik that waits for such a pod is silent itself, and lives
            put(http("node", "10.4.7.22:81", N22.name, exit=28, total=3.0)),
            put(http("traefik", "172.7.22.5:80", N22.name, exit=28, total=3.0)),
            put(lost("pod", "172.7.21.7:8080", N22.name)),
        ],
    ),
    (
        "pod",
        "reverse-path",
        "the kernel of hdss7-22 drops what Traefik on hdss7-21 (172.7.21.0/24) sends",
        [everywhere(page("502 Bad Gateway"), nodes=(N21,)), put(filtered("172.7.21.0/24"))],
    ),
]
