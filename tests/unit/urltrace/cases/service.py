"""Faults of the Service: hop, cause, words of the sentence, and what breaks the evidence."""

from __future__ import annotations

from tests.unit.urltrace.cases.changes import BAD_GATEWAY, NO_ROUTES
from tests.unit.urltrace.record_ingress import endpoints, service
from tests.unit.urltrace.site import (
    N21,
    N22,
    NOT_FOUND,
    PODS,
    Case,
    everywhere,
    objects,
    page,
    pod,
    put,
    rawdata,
)
from urltrace.evidence import Answer

CASES: list[Case] = [
    (
        "service",
        "ingress-service",
        "Service default/demo does not exist",
        [
            everywhere(NOT_FOUND),
            NO_ROUTES,
            objects(service=None),
        ],
    ),
    (
        "service",
        "ingress-port",
        "has no port 80, only 8080",
        [
            everywhere(NOT_FOUND),
            NO_ROUTES,
            objects(service=service("demo", (8080, ""))),
        ],
    ),
    (
        "service",
        "ingress-endpoints",
        "no pod in default has the labels app=demo",
        [
            everywhere(NOT_FOUND),
            NO_ROUTES,
            objects(slice=endpoints("demo"), pod_21=pod("d", PODS[0], N21, {"app": "dmo"}), pod_22=None),
        ],
    ),
    (
        "service",
        "ingress-endpoints",
        "is ready: CrashLoopBackOff",
        [
            everywhere(NOT_FOUND),
            NO_ROUTES,
            objects(
                slice=endpoints("demo", (PODS[0], {"ready": False, "serving": False})),
                pod_21=pod("demo-21", PODS[0], N21, {"app": "demo"}, waiting="CrashLoopBackOff"),
                pod_22=None,
            ),
        ],
    ),
    (
        "service",
        "no-endpoints",
        "no pod in default has the labels app=demo",
        [
            everywhere(page("503 Service Unavailable", body="no available server")),
            objects(slice=endpoints("demo"), pod_21=None, pod_22=None),
        ],
    ),
    (
        "service",
        "stale-servers",
        "Traefik on hdss7-22 sends to 172.7.9.9:8080",
        [
            everywhere(BAD_GATEWAY, nodes=(N22,), client=False),
            put(Answer("rawdata", N22.name, rawdata(servers=("172.7.9.9",)))),
        ],
    ),
    (
        "service",
        "pods-ending",
        "every pod of Service default/demo is ending",
        [
            everywhere(page("503 Service Unavailable", body="no available server")),
            objects(slice=endpoints("demo", *((ip, {"serving": True, "terminating": True}) for ip in PODS))),
        ],
    ),
]
