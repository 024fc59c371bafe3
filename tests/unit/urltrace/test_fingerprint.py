"""What has changed since a URL last answered."""

from __future__ import annotations

import pytest

from tests.unit.urltrace.record_ingress import service
from tests.unit.urltrace.site import EDGE, N22, NGINX, Answers, Change, evidence, nat, objects, put, traefik_pod
from urltrace.evidence import Answer
from urltrace.fingerprint import differences, fingerprints


def changed(*changes: Change) -> list[str]:
    return [str(one) for one in differences(fingerprints(evidence()), fingerprints(evidence(*changes)))]


def test_the_same_hops_have_no_difference() -> None:
    assert changed() == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            put(Answer("nginx -T", EDGE.name, NGINX.replace("*.od.com", "*.od.org"))),
            "/etc/nginx/conf.d/od.com.conf on hdss7-11 is another one",
        ),
        (
            put(Answer("filter", N22.name, ":INPUT ACCEPT [5:5]\n:FORWARD ACCEPT [0:0]\n-A INPUT -j DROP\n")),
            "table filter of iptables on hdss7-22 is another one",
        ),
        (objects(service=service("demo", (8080, ""))), "Service default/demo is another one"),
        (objects(ingress=None), "Ingress default/demo is gone"),
        (put(Answer("nat", N22.name, "")), "the target of port 81 on hdss7-22 is another one"),
        (put(Answer("nat", N22.name, nat("172.7.22.99"))), "the target of port 81 on hdss7-22 is another one"),
    ],
)
def test_what_differs_is_named(change: Change, said: str) -> None:
    assert changed(change) == [said]


def test_a_pod_that_was_replaced_is_no_difference_of_its_port() -> None:
    anew = traefik_pod(N22)
    anew["status"]["podIP"] = "172.7.22.9"
    assert changed(objects(traefik_22=anew), put(Answer("nat", N22.name, nat("172.7.22.9")))) == []


def test_counters_and_times_to_live_are_no_difference() -> None:
    counted = put(Answer("filter", N22.name, ":INPUT ACCEPT [77:9999]\n:FORWARD ACCEPT [1:2]\n"))
    assert changed(counted) == []


def test_a_host_that_was_not_asked_has_not_changed() -> None:
    now = fingerprints(evidence(unasked=(EDGE.name,)))
    assert [one for one in differences(fingerprints(evidence()), now) if one.host == EDGE.name] == []


def of_haproxy(main: str, names: str = "b" * 32) -> Change:
    """The edge's program is HAProxy, with files of these digests."""
    files = f"{main} /etc/haproxy/haproxy.cfg\n{names} /etc/haproxy/site/certificates.list\n"

    def change(found: Answers) -> None:
        found.pop(("nginx -T", EDGE.name), None)
        put(Answer("edge program", EDGE.name, "haproxy\n"), Answer("haproxy files", EDGE.name, files))(found)

    return change


def test_a_file_of_haproxys_that_differs_is_named() -> None:
    was, same = (fingerprints(evidence(of_haproxy("a" * 32))) for _ in range(2))
    assert differences(was, same) == ()
    (found,) = differences(was, fingerprints(evidence(of_haproxy("c" * 32))))
    assert (found.hop, str(found)) == ("edge", "/etc/haproxy/haproxy.cfg on hdss7-11 is another one")


def test_another_program_of_the_edge_is_named_by_its_files() -> None:
    said = changed(of_haproxy("a" * 32))
    assert "/etc/haproxy/haproxy.cfg on hdss7-11 is new" in said
    assert any(each.startswith("/etc/nginx/") and each.endswith(" on hdss7-11 is gone") for each in said)
