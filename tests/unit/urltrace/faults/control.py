"""Faults of the control plane: hop, cause, words of the sentence, and what breaks the evidence."""

from __future__ import annotations

from tests.unit.urltrace.site import N21, N22, Case, client, nginx_page, put
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
]
