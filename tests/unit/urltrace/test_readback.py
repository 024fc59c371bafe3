"""The token of a trace, read back: in Traefik's access log, and by the connections that a kernel keeps."""

from __future__ import annotations

import json

import pytest

from tests.unit.urltrace.cases.node import DARK_21
from tests.unit.urltrace.site import N21, N22, client, everywhere, evidence, http, lost, nat, page, put
from urltrace.conntrack import flows
from urltrace.evidence import OUTSIDE, Answer, dump
from urltrace.traefik.logged import described, logged
from urltrace.verdict import judge

# as Traefik 3.7.15 writes it with --accesslog.format=json, after what the kubelet puts before it
ENTRY = {
    "ClientAddr": "10.4.7.11:44720",
    "ClientUsername": "hunter2",
    "DownstreamStatus": 502,
    "Duration": 2003333,
    "RequestPath": "/a?token=hunter2",
    "RouterName": "default-demo-demo-od-com@kubernetes",
    "ServiceAddr": "172.7.21.7:8080",
    "request_X-Hdss7-Trace": f"t0123456789abcdef.{OUTSIDE}",
}
LINE = f"2026-11-30T06:49:23.682674509Z stdout F {json.dumps(ENTRY)}\n"

# as conntrack 1.4.7 writes it
FLOWS = (
    "tcp      6 431999 ESTABLISHED src=10.4.7.21 dst=10.4.7.21 sport=40000 dport=81 "
    "src=172.7.21.5 dst=10.4.7.21 sport=80 dport=40000 [ASSURED] mark=0 use=1\n"
    "tcp      6 117 SYN_SENT src=10.4.7.11 dst=10.4.7.21 sport=40001 dport=81 "
    "[UNREPLIED] src=172.7.21.99 dst=10.4.7.11 sport=80 dport=40001 mark=0 use=1\n"
)


def test_a_line_of_the_log_tells_router_and_server() -> None:
    (found,) = logged(described(LINE))
    assert (found.who, found.status, found.server) == (OUTSIDE, 502, "172.7.21.7:8080")
    assert found.router == "default-demo-demo-od-com@kubernetes"
    assert found.line.endswith("502 in 0.002 s, router default-demo-demo-od-com@kubernetes, server 172.7.21.7:8080")


def test_a_request_that_no_router_took_is_told_as_that() -> None:
    few = {"DownstreamStatus": 404, "request_X-Hdss7-Trace": "t0.hdss7-22"}
    assert [(one.who, one.router, one.server) for one in logged(described(json.dumps(few)))] == [
        ("hdss7-22", "none", "none")
    ]


@pytest.mark.parametrize("line", ["", "{", "no line of JSON", '{"request_X-Hdss7-Trace": "t0.a", "Duration": "long"}'])
def test_what_is_no_line_of_the_log_is_left_out(line: str) -> None:
    assert described(f"{line}\n{LINE}") == described(LINE)


def test_a_bundle_has_nothing_else_of_the_log() -> None:
    others = LINE.replace("/a?", "/forbidden/hunter2?")  # found among the errors by a word of its path
    held = evidence(put(Answer("requests", N21.name, LINE), Answer("log traefik", N22.name, others)))
    assert b"hunter2" not in dump(held)
    assert b"server 172.7.21.7:8080" in dump(held)


def test_connections_tell_where_the_kernel_led_them() -> None:
    assert [(one.source, one.target, one.led, one.waits) for one in flows(FLOWS)] == [
        ("10.4.7.21", "10.4.7.21:81", "172.7.21.5", False),
        ("10.4.7.11", "10.4.7.21:81", "172.7.21.99", True),
    ]
    assert [one.waits for one in flows(FLOWS.replace("6 117 SYN", "6 60 SYN"))] == [False, False]


def test_a_stale_port_is_proven_by_a_connection() -> None:
    stale = [DARK_21, put(Answer("nat", N21.name, nat("172.7.21.99")), Answer("connections", N21.name, FLOWS))]
    fault = judge(evidence(*stale)).fault
    assert fault
    assert fault.cause == "hostport-stale"
    assert FLOWS.splitlines()[1] in [one.line for one in fault.proof]


def test_what_traefik_has_asked_proves_its_failure() -> None:
    bad = page("502 Bad Gateway", body="Bad Gateway")
    own = LINE.replace(OUTSIDE, N22.name)
    fault = judge(evidence(everywhere(bad), put(Answer("requests", N21.name, own)))).fault
    assert fault
    assert fault.cause == "backend-failed"
    assert fault.proof[-1].line.endswith("server 172.7.21.7:8080")
    assert "Traefik on hdss7-21 gets no answer from 172.7.21.7:8080, which answers hdss7-21 itself" in fault.sentence


def test_a_rule_that_stops_traefik_alone_is_named() -> None:
    waits = LINE.replace(OUTSIDE, "hdss7-11").replace("502", "499").replace("2003333", "1003333333")
    waits = waits.replace("172.7.21.7", "172.7.22.7")
    rule = "-A FORWARD -s 172.7.21.0/24 -d 172.7.22.0/24 -p tcp -m tcp --dport 8080 -j DROP"
    stopped = [Answer("requests", N21.name, waits), Answer("filter", N22.name, f":FORWARD ACCEPT [0:0]\n{rule}\n")]
    fault = judge(evidence(client(page("504 Gateway Timeout")), put(*stopped))).fault
    assert fault
    assert fault.cause == "backend-failed"
    assert f"{rule} on hdss7-22" in fault.sentence


def test_a_connection_in_vain_tells_that_traefik_alone_is_cut_off() -> None:
    line = FLOWS.splitlines()[1].replace("10.4.7.11", "172.7.21.5").replace("dport=81", "dport=8080")
    waits = put(Answer("connections", N21.name, line.replace("dst=10.4.7.21", "dst=172.7.22.7") + "\n"))
    held = evidence(waits, put(http("large", "10.4.7.21:81", "hdss7-11", exit=28), lost("name", "", OUTSIDE)))
    fault = judge(held).fault
    assert fault
    assert fault.cause == "backend-failed"
    assert "Traefik on hdss7-21 gets no answer from 172.7.22.7:8080" in fault.sentence
    assert [one.cause for one in judge(evidence(waits)).latent] == ["backend-failed"]


def test_a_client_that_gives_up_on_a_slow_application_is_no_sign() -> None:
    waits = LINE.replace("502", "499")
    held = evidence(put(Answer("requests", N21.name, waits.replace("2003333", "15000000"))))
    assert not judge(held).findings
    once = judge(evidence(put(Answer("requests", N21.name, waits.replace("2003333", "1000000000")))))
    assert [one.cause for one in once.latent] == ["backend-failed"]


def test_what_no_rule_explains_tells_the_last_hop_that_has_seen_it() -> None:
    seen = LINE.replace("502", "418")
    verdict = judge(evidence(client(page("418 I'm a teapot")), put(Answer("requests", N22.name, seen))))
    assert verdict.fault is None
    assert "Traefik on hdss7-22 has got it, and answered 418 (server 172.7.21.7:8080)" in verdict.sentence
    nginx = Answer("log access", "hdss7-11", "10.4.7.200 … trace=t0.outside\n")
    assert "nginx on hdss7-11 has got it" in judge(evidence(client(page("418 I'm a teapot")), put(nginx))).sentence


def test_a_pod_whose_own_log_names_the_request_has_got_it() -> None:
    strange = client(page("418 I'm a teapot"))
    told = judge(evidence(strange, put(Answer("pod logs", N22.name, "default/demo-22 from outside\n")))).sentence
    assert told.endswith("pod default/demo-22 on hdss7-22 has got it, as its own log tells")
    for line in ("", "default/other from outside\n", "default/demo-22 from hdss7-21\n"):  # none, a collector's, a hop's
        assert "own log" not in judge(evidence(strange, put(Answer("pod logs", N22.name, line)))).sentence


def test_a_pod_whose_log_is_silent_is_not_at_fault() -> None:
    verdict = judge(evidence(put(*(Answer("pod logs", node.name, "") for node in (N21, N22)))))
    assert (verdict.fault, verdict.latent) == (None, ())
