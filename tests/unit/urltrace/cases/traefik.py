"""Faults of Traefik: hop, cause, words of the sentence, and what breaks the evidence."""

from __future__ import annotations

import json

from tests.unit.urltrace.cases.changes import NO_ROUTES
from tests.unit.urltrace.site import (
    N21,
    N22,
    NOT_FOUND,
    Case,
    access,
    demo,
    everywhere,
    objects,
    page,
    put,
    rawdata,
    router,
    traefik_pod,
)
from urltrace.evidence import Answer

CASES: list[Case] = [
    (
        "traefik",
        "access-missing",
        "Traefik may not read endpointslices",
        [
            everywhere(NOT_FOUND),
            NO_ROUTES,
            objects(access=access("endpointslices")),
        ],
    ),
    (
        "traefik",
        "provider-off",
        "does not read Ingresses",
        [
            everywhere(NOT_FOUND),
            NO_ROUTES,
            objects(
                **{
                    f"traefik_{end}": json.loads(
                        json.dumps(traefik_pod(node)).replace("--providers.kubernetesingress", "--providers.file")
                    )
                    for end, node in (("21", N21), ("22", N22))
                }
            ),
        ],
    ),
    (
        "traefik",
        "no-routes",
        "Traefik on hdss7-22 has loaded no Ingress at all (1 on hdss7-21)",
        [
            everywhere(NOT_FOUND, nodes=(N22,), client=False),
            put(Answer("rawdata", N22.name, rawdata({}))),
        ],
    ),
    (
        "traefik",
        "stale-routes",
        "has not loaded Ingress default/demo",
        [
            everywhere(NOT_FOUND, nodes=(N22,), client=False),
            put(Answer("rawdata", N22.name, rawdata(router('Host("old.od.com")', "default-old")))),
        ],
    ),
    (
        "traefik",
        "ingress-class",
        "its class is graefik, and this Traefik takes traefik only",
        [
            everywhere(NOT_FOUND),
            NO_ROUTES,
            objects(ingress=demo(ingressClassName="graefik")),
        ],
    ),
    (
        "traefik",
        "ingress-class",
        "it has no class",
        [
            everywhere(NOT_FOUND),
            NO_ROUTES,
            objects(ingress=demo(ingressClassName=None)),
        ],
    ),
    (
        "traefik",
        "no-ingress",
        "no Ingress has the host demo.od.com; default/demo has demo.od.cm",
        [
            everywhere(NOT_FOUND),
            put(*(Answer("rawdata", node.name, rawdata(router('Host("demo.od.cm")'))) for node in (N21, N22))),
            objects(ingress=demo("demo.od.cm")),
        ],
    ),
    (
        "traefik",
        "no-match",
        "PathPrefix(`/api`) does not match path /",
        [
            everywhere(NOT_FOUND),
            put(
                *(
                    Answer("rawdata", node.name, rawdata(router('Host("demo.od.com") && PathPrefix("/api")')))
                    for node in (N21, N22)
                )
            ),
            objects(ingress=demo(path="/api")),
        ],
    ),
    (
        "traefik",
        "router-disabled",
        'middleware "gone@kubernetescrd" does not exist',
        [
            everywhere(NOT_FOUND),
            put(
                *(
                    Answer(
                        "rawdata",
                        node.name,
                        rawdata(
                            router(
                                status="disabled",
                                error=['middleware "gone@kubernetescrd" does not exist'],
                            )
                        ),
                    )
                    for node in (N21, N22)
                )
            ),
        ],
    ),
    (
        "traefik",
        "router-tls",
        "it takes only TLS",
        [
            everywhere(NOT_FOUND),
            put(*(Answer("rawdata", node.name, rawdata(router(tls={}))) for node in (N21, N22))),
        ],
    ),
    (
        "traefik",
        "middleware",
        "a middleware of Traefik answers 403: deny@kubernetescrd",
        [
            everywhere(page("403 Forbidden", body="Forbidden")),
            put(
                *(
                    Answer("rawdata", node.name, rawdata(router(middlewares=["deny@kubernetescrd"])))
                    for node in (N21, N22)
                )
            ),
        ],
    ),
]
