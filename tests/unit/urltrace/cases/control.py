"""Faults of the control plane: hop, cause, words of the sentence, and what breaks the evidence."""

from __future__ import annotations

from tests.unit.urltrace.record_ingress import service
from tests.unit.urltrace.site import N21, N22, Case, client, nginx_page, objects, put
from urltrace.evidence import Answer

CASES: list[Case] = [
    (
        "control",
        "api-not-ready",
        "the API server on hdss7-22 is not ready: [-]etcd failed",
        [
            put(Answer("readyz", N22.name, "[+]ping ok\n[-]etcd failed\n", 1)),
            client(nginx_page("500 x")),
            put(Answer("objects", N21.name, "", 1)),
        ],
    ),
    (
        "control",
        "dns-address-taken",
        "Service default/thief (port 80) has taken 192.168.0.2, where pods ask for names",
        [objects(thief=service("thief", (80, ""), clusterIP="192.168.0.2"), dns=None)],
    ),
    ("control", "dns-address-free", "no Service has 192.168.0.2", [objects(dns=None)]),
]
