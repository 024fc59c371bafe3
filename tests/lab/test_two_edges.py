"""Two edges and one address: the holder is lost in every way, with clients asking, and both are changed under them."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest

from lab.network import dial_in
from lab.state import Lab
from tests.lab.clients import unharmed
from tests.lab.faults.streams import WebSocket
from tests.lab.faults.testbed import await_none
from tests.lab.two_edges import (
    CLIENTS,
    FAULTS,
    INVENTORY,
    NAME,
    ROLLED,
    VIP,
    EdgeFault,
    TwoEdges,
    asking,
    note,
)
from tests.lab.typed import deployed_site

CORE = "the holder's nginx is stopped"
BACK = 3000  # milliseconds within which the site is back when the holder's power is cut
URL = "http://demo.od.com/"
WAIT = 4  # seconds that open connections get


@pytest.fixture(scope="module")
def site() -> Iterator[TwoEdges]:
    """The site with both edges, deployed from bare."""
    with deployed_site(TwoEdges(NAME), INVENTORY, words=("--inventory", str(INVENTORY))) as made:
        made.await_healthy()
        yield made


def test_the_site_is_as_declared_and_verified(site: TwoEdges) -> None:
    again = site.typed("plan", "--json")
    assert (again.code, again.changes) == (0, set()), str(again)
    verified = site.typed("verify")
    assert verified.code == 0, str(verified)


def traced(site: TwoEdges) -> str:
    """What a trace says while the URL answers."""
    done = site.typed("trace", URL)
    assert done.code == 0, str(done)
    return done.output


def test_a_trace_names_both_edges_that_answer(site: TwoEdges) -> None:
    site.await_healthy()
    said = traced(site)
    assert re.search(r"  ✓ edge  .* on hdss7-11 sends Host demo\.od\.com .*; answered by hdss7-12 \(200\) too", said), (
        said
    )


def test_a_trace_tells_besides_that_the_edge_that_waits_is_without_its_nginx(site: TwoEdges) -> None:
    site.await_healthy()
    holder = site.holder()
    (other,) = {"hdss7-11", "hdss7-12"} - {holder}
    site.on(other, "systemctl stop nginx")
    try:
        said = traced(site)
        assert site.holder() == holder
    finally:
        site.on(other, "systemctl start nginx")
        site.await_healthy()
    assert f"Also:    nothing listens on port 80 of {other}" in said, said


def test_both_edges_change_one_after_the_other(site: TwoEdges) -> None:
    site.await_healthy()
    holder = site.holder()
    (other,) = {"hdss7-11", "hdss7-12"} - {holder}
    socket = WebSocket(lambda _, port, timeout: dial_in(Lab.named(NAME), VIP, port, timeout))
    socket.look()
    with asking(site) as prober:
        words = ("--extra-vars", "edge.max_body=101m", "--extra-vars", f"edge.handover_wait={WAIT}s")
        deployed = site.typed("deploy", *words)
        receipt = prober.receipt()
    assert deployed.code == 0, str(deployed)
    drained = re.findall(r"(hdss7-1\d) +Drain +drained", deployed.output)
    note(ROLLED, receipt, f"{' then '.join(drained)}; the address is at {site.holder()}")
    assert drained == [other, holder]
    assert unharmed(receipt), receipt
    assert site.holder() == other
    with pytest.raises(
        OSError, match=r"closed|reset|timed out|Broken"
    ):  # it had its time, then it was cut: its client connects anew
        socket.look()
    socket.look()
    again = site.typed("plan", "--json", *words)
    assert (again.code, again.changes) == (0, set()), str(again)


def switched(site: TwoEdges, program: str) -> None:
    """Both edges get this program, with clients asking."""
    site.await_healthy()
    words = ("--extra-vars", f"edge.program={program}")
    with asking(site) as prober:
        deployed = site.typed("deploy", *words)
        receipt = prober.receipt()
    print(f"{program} on both edges: {receipt}")
    assert deployed.code == 0, str(deployed)
    assert unharmed(receipt), receipt
    again = site.typed("plan", "--json", *words)
    assert (again.code, again.changes) == (0, set()), str(again)


def test_haproxy_takes_over_without_a_failed_request(site: TwoEdges) -> None:
    switched(site, "haproxy")
    site.await_healthy()
    verified = site.typed("verify", "--extra-vars", "edge.program=haproxy")
    assert verified.code == 0, str(verified)


def test_a_node_is_drained_by_both_haproxys(site: TwoEdges) -> None:
    with asking(site) as prober:
        words = ("--extra-vars", "edge.program=haproxy", "--extra-vars", "traefik.log_level=WARN")
        rolled = site.typed("deploy", *words)
        receipt = prober.receipt()
    print(f"a roll behind two HAProxys: {receipt}")
    assert rolled.code == 0, str(rolled)
    assert unharmed(receipt), receipt


@pytest.mark.parametrize("signal", ["STOP", "KILL"])
def test_a_haproxy_that_is_lost_gives_the_address_away(site: TwoEdges, signal: str) -> None:
    site.await_healthy()
    holder = site.holder()
    (other,) = {"hdss7-11", "hdss7-12"} - {holder}
    lose = {"STOP": "pkill -STOP haproxy", "KILL": "systemctl kill -s KILL haproxy && systemctl stop haproxy"}[signal]
    with asking(site, 700 if signal == "STOP" else CLIENTS) as prober:
        time.sleep(1)
        site.on(holder, lose)
        try:
            await_none(lambda: "" if site.holders() == [other] else f"{site.holders()}", 20, "the other one holds it")
            verified = site.typed("verify", "-k", "keepalived", "--extra-vars", "edge.program=haproxy")
            receipt = prober.receipt()
        finally:
            site.on(holder, "pkill -CONT haproxy; systemctl start haproxy")
    print(f"the holder's HAProxy gets SIG{signal}: {receipt}")
    assert "this edge answers keepalived, so it may hold the address" in verified.output, str(verified)


def test_nginx_takes_over_again_without_a_failed_request(site: TwoEdges) -> None:
    switched(site, "nginx")
    site.await_healthy()


def rows() -> list[object]:
    return [
        pytest.param(fault, id=fault.name.replace(" ", "-"), marks=(pytest.mark.core,) if fault.name == CORE else ())
        for fault in FAULTS
    ]


@pytest.mark.parametrize("fault", rows())
def test_the_other_edge_serves_the_site(site: TwoEdges, fault: EdgeFault) -> None:
    site.await_healthy()
    holder = site.holder()
    (other,) = {"hdss7-11", "hdss7-12"} - {holder}
    with asking(site, fault.clients) as prober:
        time.sleep(2)
        with fault.inject(site, holder, other):
            time.sleep(10)
            receipt = prober.receipt()
            moved = other in site.holders()
            verified = site.typed("verify", "-k", "keepalived")
    site.await_healthy()
    said = [line.strip("! ") for line in verified.output.splitlines() if line.startswith("!") and fault.named in line]
    note(fault.name, receipt, f"verify: {said[0]}" if fault.named and said else f"{other} holds it; verify passes")
    assert moved, receipt
    assert receipt.longest_gap <= BACK or "frozen" in fault.name, receipt
    if fault.named:
        assert fault.named in verified.output + verified.errors, str(verified)
    else:
        assert verified.code == 0, str(verified)
