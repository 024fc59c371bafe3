"""A hop of a project's own: what it asks reaches the evidence, and what it finds the verdict."""

from __future__ import annotations

from collections.abc import Iterator

from tests.unit.urltrace.site import EDGE, SITE, client, evidence, page, put
from tests.unit.urltrace.test_ask import asked
from urltrace.ask.question import TraceQuestion
from urltrace.evidence import Answer
from urltrace.finding import Finding, proof
from urltrace.own import OwnHop, answers
from urltrace.request import Request
from urltrace.verdict import RULES, judge
from urltrace.view import View


def down(view: View) -> Iterator[Finding]:
    """As docs/trace.md has it: a server that HAProxy has taken out."""
    for answer in answers(view, "haproxy", "servers"):
        for line in answer.output.splitlines():
            backend, name, state = line.split(",")[:3]
            if state == "DOWN":
                yield Finding(
                    hop="edge",
                    cause="haproxy-server-down",
                    where=f"server {name} of HAProxy on {answer.location}",
                    sentence=f"HAProxy on {answer.location} has taken {name} out of {backend}",
                    do="Look at its check: echo 'show servers state' | socat stdio /run/haproxy/admin.sock",
                    proof=proof(answer, line),
                )


HOP = OwnHop(role="haproxy", ask={"servers": "printf 'nodes,%s,DOWN\\n' \"it's\""}, find=down)


def test_a_command_of_a_hop_is_asked_beside_the_rest() -> None:
    found = asked(TraceQuestion("hdss7-11", (), Request("a"), SITE, "t", besides=HOP.commands))
    assert found["own haproxy servers"].output == "nodes,it's,DOWN\n"
    assert found["own haproxy servers"].code == 0


def test_a_command_that_hangs_is_cut() -> None:
    found = asked(TraceQuestion("hdss7-11", (), Request("a"), SITE, "t", besides=(("own x y", "sleep 60"),)))
    assert found["own x y"].code == 124


def test_what_a_hop_finds_is_the_verdict() -> None:
    held = evidence(
        client(page("503 Service Unavailable")), put(Answer("own haproxy servers", EDGE.name, "nodes,hdss7-22,DOWN\n"))
    )
    verdict = judge(held, (*RULES, HOP.find))
    assert verdict.fault
    assert verdict.fault.cause == "haproxy-server-down"
    assert verdict.sentence == "HAProxy on hdss7-11 has taken hdss7-22 out of nodes"


def test_a_command_is_told_from_one_whose_name_begins_alike() -> None:
    said = (Answer(f"own haproxy {name}", EDGE.name, name) for name in ("server", "servers", "server-state"))
    held = View(evidence(put(*said)))
    assert [answer.output for answer in answers(held, "haproxy", "server")] == ["server"]
