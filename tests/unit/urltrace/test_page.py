"""The page of a trace: whole, of itself, and harmless."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import urltrace.rules
from tests.unit.urltrace.cases import besides, control, edge, link, name, node, pod, service, traefik
from tests.unit.urltrace.site import Change, evidence
from urltrace.fingerprint import Difference
from urltrace.html.page import SiteStatus, page
from urltrace.html.words import CAUSES
from urltrace.request import Request
from urltrace.traefik.ingress import Cause as IngressCause
from urltrace.verdict import judge

RULES = Path(urltrace.rules.__file__).parent
WRITTEN = re.compile(r'cause="([a-z-]+)"')
CASES = [case for hop in (name, edge, link, node, traefik, service, pod, control) for case in hop.CASES]


def written(*changes: Change, request: Request | None = None, status: SiteStatus | None = None) -> str:
    held = evidence(*changes, request=request)
    return page(
        held, judge(held), "2026-01-01", (Difference("edge", "hdss7-11", "/etc/x", "changed", "by hand"),), status
    )


def test_it_fetches_nothing() -> None:
    text = written(*CASES[0][3])
    assert "default-src 'none'" in text
    assert not re.search(r"(?:src|href)=\"(?!#)", text)


def test_each_node_has_a_state_of_its_own() -> None:
    changes = next(case[3] for case in CASES if case[1] == "link-lost")
    text = written(*changes)
    states = re.findall(r'<a href="#link" class="(\w+)"', text)
    assert states == ["right", "wrong"]
    assert "by hand" in text


def test_what_hosts_say_is_no_markup() -> None:
    text = written(request=Request("demo.od.com", "/<script>alert(1)</script>"))
    assert "<script>alert" not in text


def test_what_else_is_known_is_shown() -> None:
    status = SiteStatus(receipt=["run-1: 0 failed"], drift=[], verified=["21 passed"])
    text = written(status=status)
    assert "run-1: 0 failed" in text
    assert "21 passed" in text


def test_every_cause_has_its_words_in_chinese() -> None:
    known = {case[1] for case in CASES} | {case[0] for case in besides.CASES}
    known |= {found for path in RULES.glob("*.py") for found in WRITTEN.findall(path.read_text())}
    known |= {f"ingress-{cause}" for cause in get_args(IngressCause)}
    known |= {f"router-{cause}" for cause in ("disabled", "rule", "tls", "entrypoint")}
    known |= {"haproxy-down", "nginx-down", "kubelet-down", "kube-proxy-down"}
    assert not known - set(CAUSES)
