"""Faults of the name: hop, cause, words of the sentence, and what breaks the evidence."""

from __future__ import annotations

from tests.unit.urltrace.site import Case, dig, http, lost, put, refused
from urltrace.evidence import OUTSIDE, Answer

NAME = put(http("name", "", OUTSIDE, exit=6))

CASES: list[Case] = [
    ("name", "record-missing", "has no A record", [NAME, put(Answer("dig 10.4.7.11", OUTSIDE, dig("NXDOMAIN", "")))]),
    ("name", "zone-not-served", "SERVFAIL", [NAME, put(Answer("dig 10.4.7.11", OUTSIDE, dig("SERVFAIL", "")))]),
    (
        "name",
        "wrong-address",
        "is 10.4.7.22 in DNS (node hdss7-22)",
        [put(Answer("dig 10.4.7.11", OUTSIDE, dig(address="10.4.7.22"))), put(refused("name", "", OUTSIDE))],
    ),
    (
        "name",
        "dns-silent",
        "the name server 10.4.7.11 does not answer",
        [NAME, put(Answer("dig 10.4.7.11", OUTSIDE, ";; no servers could be reached\n", 9))],
    ),
    (
        "name",
        "hosts-file",
        "/etc/hosts on the client says that demo.od.com is 10.9.9.9",
        [put(Answer("hosts-file", OUTSIDE, "10.9.9.9 demo.od.com\n"), lost("name", "", OUTSIDE))],
    ),
    (
        "name",
        "resolver",
        "the client asks 8.8.8.8",
        [NAME, put(Answer("resolver", OUTSIDE, "nameserver 8.8.8.8\n"))],
    ),
]
