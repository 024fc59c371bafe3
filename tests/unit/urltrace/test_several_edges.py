"""A site of two edges: a trace names both, and the one that answers nobody, whether it holds the address or not."""

from __future__ import annotations

from msgspec.structs import replace

from tests.unit.urltrace.site import EDGE, SITE, Change, evidence, http, page, put, refused
from tests.unit.urltrace.test_haproxy import haproxy
from urltrace.evidence import OUTSIDE, Answer, Evidence, Host
from urltrace.summary import summary
from urltrace.verdict import judge

SECOND = Host("hdss7-12", "10.4.7.12")
AT_SECOND = f"{SECOND.address}:80"


def of_two(*changes: Change) -> Evidence:
    """The healthy site with a second edge, changed."""
    return replace(
        evidence(put(http("edge", AT_SECOND, OUTSIDE, page("200 OK"))), *changes),
        site=replace(SITE, edges=(EDGE, SECOND)),
    )


def line_of_edge(found: Evidence) -> str:
    return next(line for line in summary(found, judge(found)) if line.startswith(("  ✓ edge  ", "  ✗ edge  ")))


def test_both_edges_are_named_where_both_answer() -> None:
    assert judge(of_two()).fault is None
    assert "on hdss7-11 sends Host" in line_of_edge(of_two())
    assert "; answered by hdss7-12 (200) too" in line_of_edge(of_two())
    assert "; answered by hdss7-12 (200) too" in line_of_edge(of_two(haproxy()))


def test_an_edge_that_stands_by_without_its_nginx_is_named() -> None:
    down = (refused("edge", AT_SECOND, OUTSIDE), Answer("listen", SECOND.name, "LISTEN 0 5 0.0.0.0:22 0.0.0.0:*\n"))
    found = of_two(put(*down))
    verdict = judge(found)
    assert verdict.answered
    assert verdict.fault
    assert (verdict.fault.cause, verdict.fault.where) == ("nginx-down", "nginx on hdss7-12")
    assert "✗ edge" in line_of_edge(found)
    assert "nothing listens on port 80 of hdss7-12" in line_of_edge(found)
