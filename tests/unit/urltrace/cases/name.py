"""Faults of the name: hop, cause, words of the sentence, and what breaks the evidence."""

from __future__ import annotations

from tests.unit.urltrace.site import Case, dig, http, lost, put, refused
from urltrace.evidence import OUTSIDE, Answer

NAME = put(http("name", "", OUTSIDE, exit=6))

OLD = "od.com.\t540\tIN\tSOA\tdns.od.com. admin.od.com. 7 10800 900 604800 600\n"  # counted down from 600
NOBODY = ";; status: NXDOMAIN\n"

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
    (
        "name",
        "resolver",
        "the client asks 8.8.8.8",  # which has asked somebody else
        [
            NAME,
            put(Answer("resolver", OUTSIDE, "nameserver 8.8.8.8\n")),
            put(Answer("cache 8.8.8.8", OUTSIDE, NOBODY + OLD.replace("od.com.", "com.", 1))),
        ],
    ),
    (
        "name",
        "negative-cache",
        "10.4.7.53 remembers for 540 s more that demo.od.com does not exist, and hdss7-11 says 10.4.7.11",
        [
            NAME,
            put(Answer("resolver", OUTSIDE, "nameserver 10.4.7.53\n")),
            put(Answer("cache 10.4.7.53", OUTSIDE, NOBODY + OLD)),
        ],
    ),
    (
        "name",
        "stale-address",
        "10.4.7.53 remembers for 30 s more that demo.od.com is 10.4.7.99",
        [
            put(lost("name", "", OUTSIDE), Answer("resolver", OUTSIDE, "nameserver 10.4.7.53\n")),
            put(Answer("cache 10.4.7.53", OUTSIDE, ";; status: NOERROR\ndemo.od.com.\t30\tIN\tA\t10.4.7.99\n")),
        ],
    ),
]
