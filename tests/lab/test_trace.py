"""`invoke trace` on a deployed site: what it says of a healthy one, and of faults on the way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.lab.typed import invoke, on

pytestmark = pytest.mark.usefixtures("site")

DEMO = "http://demo.od.com/"
DROP = "PREROUTING -t raw -i eth0 -p tcp --dport 81 -j DROP"


@contextmanager
def rule(host: str, words: str) -> Iterator[None]:
    """A rule of iptables on a host, and taken away again."""
    on(host, f"iptables -A {words}")
    try:
        yield
    finally:
        on(host, f"iptables -D {words}")


def traced(url: str, code: int) -> list[str]:
    done = invoke("trace", url)
    assert done.code == code, str(done)
    return done.output.splitlines()


def test_a_healthy_site_has_no_fault() -> None:
    lines = traced(DEMO, 0)
    assert "Verdict: it answers as it should" in lines
    hops = [line for line in lines if line.startswith("  ")]
    assert len(hops) == 8
    assert all(line.startswith("  ✓ ") for line in hops), lines


def test_packets_lost_between_edge_and_node() -> None:
    with rule("hdss7-22", DROP):
        lines = traced(DEMO, 1)
    said = "connections from hdss7-11 to 10.4.7.22:81 are not answered, and hdss7-22 itself gets an answer there"
    assert f"Verdict: {said}" in lines


def test_a_name_that_nobody_has() -> None:
    lines = traced("http://nosuch.od.com/", 1)
    assert "Verdict: nosuch.od.com has no A record on hdss7-11 (NXDOMAIN)" in lines


def test_what_is_no_url_is_bad_input() -> None:
    done = invoke("trace", "demo.od.com")
    assert done.code == 4
    assert "Write it as http://demo.od.com/path" in done.errors
