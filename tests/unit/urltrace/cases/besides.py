"""Faults of a URL that answers: cause, words of the sentence, and what breaks the evidence."""

from __future__ import annotations

from tests.unit.urltrace.cases.changes import filtered
from tests.unit.urltrace.record_ingress import endpoints
from tests.unit.urltrace.site import N21, N22, Change, demo, http, objects, page, put
from urltrace.evidence import Answer

CASES: list[tuple[str, str, list[Change]]] = [
    ("kubelet-down", "kubelet on hdss7-22 does not answer", [put(Answer("kubelet", N22.name, "", 7, "refused"))]),
    (
        "kube-proxy-down",
        "kube-proxy on hdss7-22 does not answer",
        [put(Answer("kube-proxy", N21.name, "ok"), Answer("kube-proxy", N22.name, "", 28, "timed out"))],
    ),
    (
        "controller-down",
        "no controller manager answers on hdss7-21, hdss7-22",
        [put(*(Answer("managers", node.name, "10257 000\n10259 200\n") for node in (N21, N22)))],
    ),
    (
        "etcd-quorum",
        "etcd does not answer the API servers on hdss7-21 and hdss7-22",
        [put(*(Answer("readyz", node.name, "[-]etcd failed: reason withheld\n", 1) for node in (N21, N22)))],
    ),
    (
        "api-not-ready",
        "the API server on hdss7-22 is not ready",
        [put(Answer("readyz", N22.name, "", 1, "connection refused"))],
    ),
    (
        "api-entrance",
        "hdss7-22 can't reach the API at 10.4.7.11:7443",
        [put(Answer("api 10.4.7.11:7443", N21.name, "ok"), Answer("api 10.4.7.11:7443", N22.name, "", 7, "refused"))],
    ),
    (
        "certificate-ended",
        "the certificate /c/kubelet.pem on hdss7-22 ended on 2020-01-09, and 1 more there",
        [
            put(
                Answer(
                    "ends",
                    N22.name,
                    "/c/ca.pem:2\n/c/kubelet.pem:1\n/c/admin.pem:1\n"
                    "            Not After : Dec  9 15:52:03 2099 GMT\n"
                    "            Not After : Dec 19 15:52:03 2099 GMT\n"
                    "            Not After : Jan  9 15:52:03 2020 GMT\n"
                    "            Not After : Jan 19 15:52:03 2020 GMT\n",
                )
            )
        ],
    ),
    (
        "ingress-secret",
        "Secret default/web of Ingress default/demo does not exist",
        [
            objects(ingress=demo(tls=[{"secretName": "web"}, {"secretName": "mine"}])),
            put(Answer("tls secrets", N21.name, "default/mine 200\ndefault/web 404\n")),
        ],
    ),
    (
        "coredns-absent",
        "Service kube-system/coredns on 192.168.0.2 has no pod that is ready",
        [objects(dns_slice=endpoints("coredns", namespace="kube-system", port=("dns", 53)))],
    ),
    (
        "pod-slow",
        "pod 172.7.21.7:8080 takes 1.4 s to answer",
        [put(http("pod", "172.7.21.7:8080", N21.name, page("200 OK"), total=1.4))],
    ),
    ("reverse-path", "the kernel of hdss7-22 drops what Traefik on hdss7-21", [put(filtered("172.7.21.0/24"))]),
]
