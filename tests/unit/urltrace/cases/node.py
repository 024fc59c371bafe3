"""Faults of the node's port: hop, cause, words of the sentence, and what breaks the evidence."""

from __future__ import annotations

from tests.unit.urltrace.site import (
    EDGE,
    N21,
    TRAEFIK,
    Case,
    http,
    lost,
    nat,
    objects,
    page,
    put,
    refused,
    traefik_pod,
)
from urltrace.evidence import Answer

DARK_21 = put(refused("node", "10.4.7.21:81", EDGE.name), refused("node", "10.4.7.21:81", N21.name))
DARK_21_POD = put(*(refused(kind, f"{TRAEFIK[N21.name]}:80", N21.name) for kind in ("traefik", "alive")))

CASES: list[Case] = [
    ("node", "traefik-absent", "no Traefik pod runs on hdss7-21", [DARK_21, objects(traefik_21=None)]),
    (
        "node",
        "traefik-absent",
        "didn't have free ports",
        [
            DARK_21,
            objects(
                traefik_21={
                    **traefik_pod(N21),
                    "status": {
                        "conditions": [
                            {
                                "type": "PodScheduled",
                                "status": "False",
                                "reason": "Unschedulable",
                                "message": "1 node(s) didn't have free ports for the requested pod ports",
                            }
                        ]
                    },
                }
            ),
        ],
    ),
    (
        "node",
        "traefik-crashes",
        "CrashLoopBackOff",
        [
            DARK_21,
            DARK_21_POD,
            objects(traefik_21=traefik_pod(N21, waiting="CrashLoopBackOff")),
        ],
    ),
    ("node", "hostport-missing", "its kernel has no rule for it", [DARK_21, put(Answer("nat", N21.name, ""))]),
    (
        "node",
        "port-taken",
        "python3 (process 99) listens there",
        [
            DARK_21,
            put(Answer("nat", N21.name, "")),
            put(Answer("listen", N21.name, 'LISTEN 0 5 0.0.0.0:81 0.0.0.0:* users:(("python3",pid=99,fd=3))\n')),
        ],
    ),
    (
        "node",
        "port-taken",
        "python3 (process 99), and not Traefik, answers",
        [
            put(http("node", "10.4.7.21:81", N21.name, page("200 OK")), Answer("nat", N21.name, "")),
            put(Answer("listen", N21.name, 'LISTEN 0 5 0.0.0.0:81 0.0.0.0:* users:(("python3",pid=99,fd=3))\n')),
        ],
    ),
    (
        "node",
        "hostport-stale",
        "leads to 172.7.21.99, which no Traefik has any more",
        [
            DARK_21,
            put(Answer("nat", N21.name, nat("172.7.21.99"))),
        ],
    ),
    (
        "node",
        "traefik-silent",
        "does not answer on 172.7.21.5",
        [
            put(*(lost("node", "10.4.7.21:81", place) for place in (EDGE.name, N21.name))),
            put(*(lost(kind, "172.7.21.5:80", N21.name) for kind in ("traefik", "alive"))),
        ],
    ),
]
