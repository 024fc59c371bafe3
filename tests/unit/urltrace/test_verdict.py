"""Each fault is named by its hop and its cause, and faults that look alike are told apart."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from provision.errors import Exit, InputError
from tests.unit.urltrace.cases import besides, control, edge, link, name, node, pod, service, traefik
from tests.unit.urltrace.cases.changes import configuration
from tests.unit.urltrace.site import (
    EDGE,
    N21,
    N22,
    SITE,
    Change,
    client,
    demo,
    dig,
    everywhere,
    evidence,
    lost,
    objects,
    page,
    put,
    rawdata,
    refused,
    router,
)
from urltrace.evidence import OUTSIDE, Answer, Host, dump, load
from urltrace.request import Request
from urltrace.verdict import judge

CASES = [case for hop in (name, edge, link, node, traefik, service, pod, control) for case in hop.CASES]


@pytest.mark.parametrize(
    ("hop", "cause", "words", "changes"), CASES, ids=lambda one: one if isinstance(one, str) else ""
)
def test_a_fault_is_named(hop: str, cause: str, words: str, changes: list[Change]) -> None:
    verdict = judge(evidence(*changes))
    assert verdict.fault, verdict.sentence
    assert (verdict.fault.hop, verdict.fault.cause) == (hop, cause), verdict.sentence
    assert words in verdict.fault.sentence
    assert verdict.fault.do
    assert verdict.fault.proof
    assert verdict.exit == Exit.FAILED
    assert hop not in [cleared.hop for cleared in verdict.not_this]


@pytest.mark.parametrize(("cause", "words", "changes"), besides.CASES, ids=[case[0] for case in besides.CASES])
def test_what_does_not_explain_the_answer_is_told_besides(cause: str, words: str, changes: list[Change]) -> None:
    verdict = judge(evidence(*changes))
    assert verdict.fault is None, verdict.sentence
    assert verdict.exit == Exit.OK
    assert [one.cause for one in verdict.latent] == [cause]
    assert words in verdict.latent[0].sentence


@pytest.mark.parametrize("codes", ["default/web 200\n", "default/web 403\n", "default/web 000\n", ""])
def test_a_secret_of_which_nobody_says_that_it_is_missing_is_no_fault(codes: str) -> None:
    changes = (objects(ingress=demo(tls=[{"secretName": "web"}])), put(Answer("tls secrets", N21.name, codes)))
    verdict = judge(evidence(*changes))
    assert (verdict.fault, verdict.latent) == (None, ()), verdict


def test_a_node_that_is_left_out_for_a_change_is_no_fault() -> None:
    out = configuration("server 10.4.7.21:81 max_fails=3", "server 10.4.7.21:81 down max_fails=3")
    changes = next(case[3] for case in CASES if case[1] == "hostport-missing")
    assert judge(evidence(*changes)).fault
    verdict = judge(evidence(*changes, out))
    assert verdict.fault is None
    assert [one.cause for one in verdict.latent] == ["hostport-missing"]


def test_a_pod_of_a_dead_node_is_named_though_the_node_was_not_asked() -> None:
    lost_22 = put(*(lost("pod", "172.7.22.7:8080", node.name) for node in (N21, N22)))
    verdict = judge(evidence(lost_22, unasked=(N22.name,)))
    assert verdict.fault
    assert verdict.fault.cause == "pod-on-dead-node"
    assert "is on hdss7-22, which answers nobody" in verdict.sentence
    assert verdict.exit == Exit.FAILED


@pytest.mark.parametrize("changes", [case[3] for case in CASES], ids=[f"{case[1]}-{case[2][:20]}" for case in CASES])
def test_a_saved_trace_gives_the_same_verdict(changes: list[Change]) -> None:
    held = evidence(*changes)
    assert judge(load(dump(held))) == judge(held)


def test_a_healthy_site_has_no_fault() -> None:
    verdict = judge(evidence())
    assert verdict.answered
    assert not verdict.fault
    assert not verdict.latent
    assert verdict.exit == Exit.OK
    assert {one.hop for one in verdict.not_this} == {"control", "pod"}


@pytest.mark.parametrize("host", [EDGE.name, N21.name, N22.name, OUTSIDE])
def test_what_was_not_asked_is_not_at_fault(host: str) -> None:
    verdict = judge(evidence(unasked=(host,)))
    assert verdict.fault is None, verdict.sentence
    assert verdict.exit == (Exit.UNREACHABLE if host != OUTSIDE else Exit.FAILED)
    assert verdict.sentence.startswith(f"{host} could not be asked (no answer within 3 s)")


def test_no_answer_at_all_is_no_fault() -> None:
    verdict = judge(evidence(unasked=(EDGE.name, N21.name, N22.name, OUTSIDE)))
    assert verdict.fault is None
    assert "could not be asked" in verdict.sentence


def test_the_next_fault_is_told_too() -> None:
    changes = [case[3] for case in CASES if case[1] in ("hostport-stale", "link-drop")]
    verdict = judge(evidence(*changes[0], *changes[-1]))
    assert verdict.fault
    assert [verdict.fault.hop, *(one.hop for one in verdict.others)] == ["link", "node"]


def test_the_runners_up_stand_beside_the_fault() -> None:
    changes = next(case[3] for case in CASES if case[1] == "hostport-missing")
    verdict = judge(evidence(*changes))
    assert [one.hop for one in verdict.not_this] == ["traefik", "edge"]


def test_kube_proxy_is_never_named() -> None:
    for _, _, _, changes in CASES:
        verdict = judge(evidence(*changes))
        said = [verdict.fault, *verdict.others]
        assert all(one is None or "kube-proxy" not in one.sentence for one in said)


def test_a_fault_that_no_rule_knows_says_what_is_right() -> None:
    verdict = judge(evidence(client(page("418 I'm a teapot"))))
    assert verdict.fault is None
    assert verdict.exit == Exit.FAILED
    assert "no rule says why; the pod is right" in verdict.sentence


def test_a_bundle_holds_no_secret() -> None:
    secret = Request("demo.od.com", query="token=hunter2", headers=(("Authorization", "Basic hunter2"),))
    leaking = page("200 OK\nSet-Cookie: hunter2", body="hunter2")
    lines = 'proxy_set_header Authorization "Basic hunter2";\n    proxy_set_header Host $host;'
    held = evidence(
        everywhere(leaking),
        configuration("proxy_set_header Host $host;", lines),
        put(Answer("log traefik", N21.name, "GET /?token=hunter2 404")),
        put(Answer("rawdata", N21.name, rawdata(router("Header(`X-Key`, `hunter2`)")))),
        request=secret,
    )
    assert b"hunter2" not in dump(held)


def test_a_header_matches_by_its_digest() -> None:
    matching = router("Host(`demo.od.com`) && Header(`X-Key`, `hunter2`)")
    held = evidence(
        put(*(Answer("rawdata", node.name, rawdata(matching)) for node in (N21, N22))),
        request=Request("demo.od.com", headers=(("X-Key", "hunter2"),)),
    )
    assert not judge(held).fault
    assert "traefik" in [one.hop for one in judge(load(dump(held))).not_this] or judge(held).answered


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"{}", "no bundle"),
        (b"x", "no bundle"),
        (b'{"version": 9}', "version 9"),
        (b'{"version": 1, "sent": {"host": "demo.od.com"}, "site": {"domain": "od.com"}}', "holds no answers"),
    ],
)
def test_another_file_is_no_bundle(text: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words):
        load(text)


@pytest.mark.parametrize(
    ("held", "cause"), [(("10.4.7.12",), "address-nowhere"), (("10.4.7.10", "10.4.7.10"), "address-twice")]
)
def test_an_address_belongs_to_one_edge(held: tuple[str, ...], cause: str) -> None:
    edges = (EDGE, Host("hdss7-12", "10.4.7.12"))
    lines = [f"2: eth0    inet {ip}/24" for ip in held * 2]
    addresses = [Answer("addresses", edge.name, line) for edge, line in zip(edges, lines, strict=False)]
    named = Answer("dig 10.4.7.11", OUTSIDE, dig(address="10.4.7.10"))
    changes = [put(*addresses, named, refused("name", "", OUTSIDE))]
    found = replace(evidence(*changes), site=replace(SITE, edges=edges, vip="10.4.7.10"))
    verdict = judge(found)
    assert verdict.fault
    assert verdict.fault.cause == cause


@pytest.mark.parametrize(("holder", "besides"), [("hdss7-11", True), ("hdss7-12", False)])
def test_what_is_wrong_with_an_edge_that_waits_is_told_besides(holder: str, besides: bool) -> None:
    edges = (EDGE, Host("hdss7-12", "10.4.7.12"))
    addresses = [
        Answer("addresses", edge.name, f"inet {'10.4.7.10' if edge.name == holder else edge.address}/24")
        for edge in edges
    ]
    named = Answer("dig 10.4.7.11", OUTSIDE, dig(address="10.4.7.10"))
    down = [refused("edge", "10.4.7.12:80", OUTSIDE), Answer("listen", "hdss7-12", "LISTEN 0 5 0.0.0.0:22 0.0.0.0:*\n")]
    broken = [] if besides else [refused("name", "", OUTSIDE)]
    changes = [put(*addresses, named, *down, *broken)]
    verdict = judge(replace(evidence(*changes), site=replace(SITE, edges=edges, vip="10.4.7.10")))
    assert [one.cause for one in verdict.latent] == (["nginx-down"] if besides else [])
    assert (verdict.fault.cause if verdict.fault else "") == ("" if besides else "nginx-down")
    assert verdict.exit == (0 if besides else 1)


TEXTS = st.text(max_size=60) | st.text("{}[]:;,\"'\\n -A:/80.1sxlistenrvr", max_size=60)


@settings(deadline=None)
@given(st.integers(0, len(evidence().answers) - 1), TEXTS, st.integers(0, 255), TEXTS)
def test_no_answer_makes_the_judge_fail(number: int, output: str, code: int, errors: str) -> None:
    held = evidence()
    broken = replace(held.answers[number], output=output, code=code, errors=errors)
    judge(replace(held, answers=(*held.answers[:number], broken, *held.answers[number + 1 :])))
