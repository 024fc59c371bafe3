"""HAProxy as the edge's program: what a trace says of it, and that it blames nobody else for what HAProxy does."""

from __future__ import annotations

import pytest

from tests.unit.urltrace.site import (
    EDGE,
    N21,
    Answers,
    Change,
    client,
    evidence,
    http,
    lost,
    nginx_page,
    page,
    put,
    refused,
)
from urltrace.evidence import OUTSIDE, Answer
from urltrace.haproxy import Server, read_haproxy
from urltrace.verdict import Verdict, judge
from urltrace.view import View

# as 2.6.12 prints it
STATE = """\
1
# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change
3 kube-apiserver 1 hdss7-21 10.4.7.21 2 0 1 1 45 6 3 4 6 0 0 0 - 6443 - 1 0 - - 0
5 nodes 1 hdss7-21 10.4.7.21 2 %(one)d 1 1 45 6 3 4 6 0 0 0 - 81 - 0 0 - - 0
5 nodes 2 hdss7-22 10.4.7.22 2 %(other)d 1 1 45 6 3 4 6 0 0 0 - 81 - 0 0 - - 0
5 nodes 3 hdss7-21-again 10.4.7.21 2 %(one)d 1 1 45 1 0 2 0 0 0 0 - 81 - 0 0 - - 0
5 nodes 4 hdss7-22-again 10.4.7.22 2 %(other)d 1 1 45 1 0 2 0 0 0 0 - 81 - 0 0 - - 0
"""


def haproxy(one: int = 0, other: int = 0, more: str = "") -> Change:
    """The edge has HAProxy instead of nginx. one, other: administrative states of the nodes."""

    def change(found: Answers) -> None:
        for question in ("nginx -T", "nginx-state"):
            found.pop((question, EDGE.name), None)
        listening = 'LISTEN 0 511 0.0.0.0:80 0.0.0.0:* users:(("haproxy",pid=7,fd=6))\n'
        for answer in (
            Answer("edge program", EDGE.name, "haproxy\n"),
            Answer("haproxy", EDGE.name, STATE % {"one": one, "other": other} + more),
            Answer("listen", EDGE.name, listening),
        ):
            found[answer.question, answer.location] = answer

    return change


def error(status: str, said: str) -> str:
    """A page of HAProxy's own."""
    return page(status, body=f"<html><body><h1>{status}</h1>\n{said}\n</body></html>\n")


def judged(*changes: Change) -> Verdict:
    return judge(evidence(*changes))


def test_servers_are_read_with_their_states() -> None:
    found = read_haproxy(STATE % {"one": 1, "other": 0})
    assert found.servers[1] == Server("nodes", "hdss7-21", "10.4.7.21", 81, out=True, up=True)
    assert [server.out for server in found.nodes(81)] == [True, False, True, False]


def test_a_site_that_answers_has_no_fault() -> None:
    verdict = judged(haproxy())
    assert (verdict.answered, verdict.fault, verdict.latent) == (True, None, ())


def test_haproxy_is_started_and_not_nginx() -> None:
    verdict = judged(
        haproxy(),
        put(refused("name", "", OUTSIDE), refused("edge", "10.4.7.11:80", OUTSIDE)),
        put(Answer("listen", EDGE.name, "LISTEN 0 5 0.0.0.0:22 0.0.0.0:*\n")),
    )
    assert verdict.fault
    assert verdict.fault.cause == "haproxy-down"
    assert "systemctl restart haproxy" in verdict.fault.do


def test_a_packet_filter_in_front_of_haproxy_is_named() -> None:
    verdict = judged(haproxy(), put(lost("name", "", OUTSIDE), lost("edge", "10.4.7.11:80", OUTSIDE)))
    assert verdict.fault
    assert verdict.fault.sentence.endswith("connections to port 80, where HAProxy listens")


@pytest.mark.parametrize("connect", [0.001, 0.0])  # of a handshake that nobody answers curl tells no connection
def test_processes_that_are_stopped_are_named(connect: float) -> None:
    silent = [
        http(kind, target, OUTSIDE, exit=28, total=3.0, connect=connect)
        for kind, target in (("name", ""), ("edge", "10.4.7.11:80"))
    ]
    verdict = judged(haproxy(more="state T 88\nstate T 89\n"), put(*silent))
    assert verdict.fault
    assert (verdict.fault.cause, verdict.fault.do) == ("haproxy-silent", "On hdss7-11: kill -CONT 88 89")
    assert "edge-firewall" not in {finding.cause for finding in verdict.findings}


def test_stopped_processes_of_nginx_are_named_behind_tls_too() -> None:
    silent = [lost(kind, target, OUTSIDE) for kind, target in (("name", ""), ("edge", "10.4.7.11:80"))]
    verdict = judged(put(*silent), put(Answer("nginx-state", EDGE.name, "started 1000\nstate T 7\n")))
    assert verdict.fault
    assert (verdict.fault.cause, verdict.fault.do) == ("nginx-silent", "On hdss7-11: kill -CONT 7")


def test_nodes_that_are_all_left_out_are_the_fault() -> None:
    no_server = error("503 Service Unavailable", "No server is available to handle this request.")
    verdict = judged(haproxy(1, 1), client(no_server))
    assert verdict.fault
    assert verdict.fault.cause == "all-drained"


def test_a_node_that_is_left_out_is_known() -> None:
    assert View(evidence(haproxy(one=1))).drained == (N21,)
    assert View(evidence(haproxy())).drained == ()


@pytest.mark.parametrize(
    ("status", "said", "cause"),
    [
        ("401 Unauthorized", "You need a valid user and password to access this content.", "edge-password"),
        ("403 Forbidden", "Request forbidden by administrative rules.", "edge-denied"),
        ("429 Too Many Requests", "You have sent too many requests in a given amount of time.", "edge-limit"),
    ],
)
def test_what_haproxy_refuses_is_its_own(status: str, said: str, cause: str) -> None:
    verdict = judged(haproxy(), client(error(status, said)))
    assert verdict.fault
    assert verdict.fault.cause == cause


def test_a_limit_of_the_edge_is_its_own() -> None:
    verdict = judged(haproxy(), client(page("413 Content Too Large", body="edge: the body is longer than …\n")))
    assert verdict.fault
    assert verdict.fault.cause == "edge-body"


@pytest.mark.parametrize("status", ["502 Bad Gateway", "504 Gateway Time-out"])
def test_no_pod_is_blamed_for_an_error_of_haproxys(status: str) -> None:
    verdict = judged(haproxy(), client(error(status, "The server didn't respond in time.")))
    assert verdict.fault is None, verdict.sentence
    assert verdict.unexplained


def test_an_error_of_nginx_is_none_of_haproxys() -> None:
    assert not judged(client(nginx_page("403 Forbidden"))).sentence.startswith("HAProxy")
