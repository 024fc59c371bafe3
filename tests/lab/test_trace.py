"""`invoke trace` on a deployed site: what it says of a healthy one, and of faults of the catalogue."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.confusion.site import Site
from tests.lab.typed import NAME, invoke, on
from urltrace.catalogue.fault import DEMO, named
from urltrace.catalogue.mark import marked
from urltrace.conntrack import flows
from urltrace.evidence import OUTSIDE, load
from urltrace.view import View

pytestmark = pytest.mark.usefixtures("site")

SITE = Site(NAME)
FOLDERS = "/etc /opt /root /usr/local /var/lib/cni /tmp"
LISTED = f"find {FOLDERS} -xdev -type f ! -name '*.log' -printf '%p %s %T@ %m\\n' | sort"
LIVE = ("edge-reject", "large-packets", "dns-address-taken", "role-endpointslices", "sshd-frozen")


def traced(url: str, code: int, *words: str) -> list[str]:
    done = invoke("trace", url, *words)
    assert done.code == code, str(done)
    return done.output.splitlines()


def test_a_healthy_site_has_no_fault() -> None:
    lines = traced(DEMO, 0)
    assert "Verdict: it answers as it should" in lines
    hops = [line for line in lines if line.startswith("  ")]
    assert len(hops) == 8
    assert all(line.startswith("  ✓ ") for line in hops), lines


@pytest.mark.parametrize("name", LIVE)
def test_a_fault_is_named(name: str, tmp_path: Path) -> None:
    fault, bundle = named(name), tmp_path / "bundle"
    with SITE.broken(fault):
        found = SITE.traced(fault, bundle)
    mark, verdict = marked(name, load(bundle.read_bytes()))
    assert mark == "right", verdict.sentence
    assert found.code == (3 if fault.unasked else 1)
    SITE.await_healthy()


def test_a_trace_changes_nothing_and_takes_one_exec() -> None:
    hosts = ("hdss7-11", "hdss7-21", "hdss7-22")
    before = {host: on(host, LISTED) for host in hosts}
    logins = {host: SITE.sessions(host) for host in hosts}
    traced(DEMO, 0)
    for host in hosts:
        assert SITE.sessions(host) == (logins[host][0] + 1, logins[host][1] + 1)
        assert on(host, LISTED) == before[host]
    assert invoke("plan").code == 0


def test_requests_are_read_back_by_their_token(tmp_path: Path) -> None:
    assert SITE.trace(bundle=str(tmp_path / "bundle")).quiet
    view = View(load((tmp_path / "bundle").read_bytes()))
    edge = view.evidence.answer("log access", "hdss7-11")
    assert edge
    assert edge.output.count(f".{OUTSIDE}\n") == 2
    for node in view.site.nodes:
        answered = [one for one in view.logged(node) if one.who == node.name and one.status == 200]
        assert {one.router for one in answered} == {"default-demo-demo-od-com@kubernetes"}
        kept = view.evidence.answer("connections", node.name)
        pod = view.traefik_pod(node)
        assert kept
        assert pod
        assert pod.status.pod_ip in {flow.led for flow in flows(kept.output)}


def test_a_host_of_the_site_can_be_the_client() -> None:
    lines = traced(DEMO, 0, "--from", "hdss7-22")
    assert lines[0] == f"GET {DEMO}, asked from hdss7-22"


def test_a_failed_verify_ends_with_the_cause() -> None:
    with SITE.broken(named("nginx-stopped")):
        done = invoke("verify")
    assert done.code == 1
    last = [line for line in done.output.splitlines() if line.startswith("cause: ")]
    assert last[0].startswith("cause: nothing listens on port 80 of hdss7-11 ("), last
    assert len(last) <= 2
    SITE.await_healthy()


def test_what_changed_since_it_answered_is_named() -> None:
    traced(DEMO, 0)
    with SITE.broken(named("denied")):
        lines = traced(DEMO, 1)
    assert "Changed: /etc/nginx/conf.d/od.com.conf on hdss7-11 is another one, by hand" in lines
    SITE.await_healthy()


def test_watching_prints_a_line_when_the_answer_changes() -> None:
    with SITE.broken(named("selector")):
        watching = SITE.start("watch", "--url", DEMO, "--for", "40s")
        for _ in range(4):  # as long as it takes to start, to ask and to trace
            SITE.trace()
    ended = watching.end()
    assert ended.code == 0, str(ended)
    assert "no pod in default has the labels app=dmo" in ended.output
    assert ended.output.rstrip().endswith("it answers")


def test_a_name_that_nobody_has() -> None:
    lines = traced("http://nosuch.od.com/", 1)
    assert "Verdict: nosuch.od.com has no A record on hdss7-11 (NXDOMAIN)" in lines


def test_what_is_no_url_is_bad_input() -> None:
    done = invoke("trace", "demo.od.com")
    assert done.code == 4
    assert "Write it as http://demo.od.com/path" in done.errors
