"""HAProxy as the edge's program, in front of two web servers: switched to, drained, crashed, refused, switched back."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest

from lab.state import Lab
from provision.apply.events import Drained, Event, PutBack
from provision.traffic.probe import Prober, Target
from tests.lab.clients import EDGE, NODES, dialer
from tests.lab.edge_site import EdgeSite, edge_site, errors

OUT_OF_NODES = "nodes/hdss7-21"
SOCKET = "socat - UNIX-CONNECT:/run/haproxy/admin.sock"
GAP = 2000  # milliseconds: a plan foretells about half of it, and the machine may be busy
SILENT = "blackhole 10.4.7.11/32"  # no answer of the node reaches the edge


@pytest.fixture(scope="module")
def site() -> Iterator[EdgeSite]:
    """It begins with nginx."""
    with edge_site("t-haproxy", "nginx") as made:
        yield made


@pytest.fixture(scope="module")
def haproxy(site: EdgeSite) -> EdgeSite:
    """The same site, once it has been switched."""
    found = errors(site.deploy("haproxy"))
    assert not found, found
    return site


def switched(site: EdgeSite, program: str) -> Prober:
    """Clients ask meanwhile, and one of them takes half a minute for its answer: it keeps the old program alive."""
    site.on("hdss7-200", "(curl -s -H 'Host: a.od.com' http://10.4.7.11/slow >/dev/null 2>&1 &)")
    with site.clients(rate=100, count=8) as prober:
        time.sleep(0.5)
        found = errors(site.deploy(program))
        time.sleep(0.5)
    assert not found, found
    return prober


def units(site: EdgeSite) -> list[str]:
    """What runs and is enabled: nginx and HAProxy."""
    return site.edge("systemctl is-active nginx haproxy; systemctl is-enabled nginx haproxy; true").split()


@pytest.mark.core
def test_a_switch_is_foretold_and_costs_less_than_was_said(site: EdgeSite) -> None:
    planned = site.planned("haproxy")
    assert "nginx closes its ports first" in planned["ConfigSet /etc/haproxy"]
    assert planned["Service nginx"].startswith("nginx: active -> stopped, enabled -> disabled")
    receipt = switched(site, "haproxy").receipt()
    print(f"nginx to HAProxy: {receipt}")
    assert receipt.longest_gap < GAP, receipt
    assert units(site) == ["inactive", "active", "disabled", "enabled"]
    assert site.planned("haproxy") == {}


def test_a_switch_back_is_foretold_as_well(haproxy: EdgeSite) -> None:
    assert "haproxy closes its ports first" in haproxy.planned("nginx")["ConfigSet /etc/nginx"]
    receipt = switched(haproxy, "nginx").receipt()
    print(f"HAProxy to nginx: {receipt}")
    assert receipt.longest_gap < GAP, receipt
    assert units(haproxy) == ["active", "inactive", "enabled", "disabled"]
    assert haproxy.planned("nginx") == {}
    assert not errors(haproxy.deploy("haproxy"))


def test_the_other_program_serves_on_when_a_switch_fails(haproxy: EdgeSite) -> None:
    assert not errors(haproxy.deploy("nginx"))
    haproxy.edge("systemctl mask --now haproxy")
    with haproxy.clients() as prober:
        time.sleep(0.5)
        found = errors(haproxy.deploy("haproxy"))
        time.sleep(1)
        receipt = prober.receipt()
    haproxy.edge("systemctl unmask haproxy")
    assert found
    assert receipt.longest_gap < 5 * GAP, receipt
    assert units(haproxy)[0] == "active"
    assert not errors(haproxy.deploy("haproxy"))


@pytest.mark.core
def test_a_roll_costs_no_reload_and_no_request(haproxy: EdgeSite) -> None:
    seen: list[tuple[str, str, str, str]] = []

    def on(event: Event) -> None:
        if isinstance(event, (Drained, PutBack)):
            states = haproxy.states()
            file = haproxy.edge("grep -c ' disabled' /etc/haproxy/haproxy.cfg || true")
            seen.append((event.host, states[f"nodes/{event.host}"], states[f"nodes/{event.host}-again"], file))

    before = haproxy.edge("pgrep -P $(cat /run/haproxy.pid)")
    with haproxy.clients() as prober:
        found = errors(haproxy.deploy("haproxy", "two", on))
        receipt = prober.receipt()
    assert not found, found
    assert receipt.failures == 0, receipt
    assert [(host, *out) for host, *out in seen[::2]] == [(node, "maint", "maint", "3") for node in NODES]
    assert [(host, *back[:2]) for host, *back in seen[1::2]] == [(node, "up", "up") for node in NODES]
    assert haproxy.edge("pgrep -P $(cat /run/haproxy.pid)") == before


@pytest.mark.parametrize(
    "disturbance",
    [
        "kill -KILL $(pgrep -P $(cat /run/haproxy.pid))",
        "kill -KILL $(cat /run/haproxy.pid)",
        "systemctl restart haproxy",
        "systemctl reload haproxy",
    ],
)
def test_a_drained_node_stays_out_whatever_ends_the_process(haproxy: EdgeSite, disturbance: str) -> None:
    worker = haproxy.edge("pgrep -P $(cat /run/haproxy.pid)")

    def on(event: Event) -> None:
        if not isinstance(event, Drained) or event.host != "hdss7-21":
            return
        haproxy.edge(disturbance)
        until = time.monotonic() + 10
        while True:
            now = haproxy.edge("pgrep -n -P $(cat /run/haproxy.pid) || true; curl -s -m 1 http://127.0.0.2/ || true")
            if now.count("\n") == 1 and not now.startswith(worker):
                break
            assert time.monotonic() < until, now
            time.sleep(0.1)
        states.append(haproxy.states()[OUT_OF_NODES])

    states: list[str] = []
    version = f"v{abs(hash(disturbance))}"
    assert not errors(haproxy.deploy("haproxy", version, on, max_fail=1000))  # a process that is killed answers nobody
    assert states == ["maint"]
    assert haproxy.states()[OUT_OF_NODES] == "up"


def test_a_node_comes_back_only_after_its_own_check(haproxy: EdgeSite) -> None:
    haproxy.on("hdss7-21", "systemctl stop nginx")
    try:
        haproxy.edge(f"echo 'set server {OUT_OF_NODES} state maint' | {SOCKET}")
        # as somebody may have left it by hand: the next run puts the program right, the check has the last word
        assert not errors(haproxy.deploy("haproxy", read_timeout="50m"))
        haproxy.edge(f"echo 'set server {OUT_OF_NODES} state maint' | {SOCKET}")
        assert haproxy.states()[OUT_OF_NODES] == "maint"
        assert not errors(haproxy.deploy("haproxy"))
        assert haproxy.states()[OUT_OF_NODES] == "down"
    finally:
        haproxy.on("hdss7-21", "systemctl start nginx")
    await_state(haproxy, OUT_OF_NODES, "up")


def await_state(site: EdgeSite, server: str, state: str, seconds: float = 10) -> float:
    """Waits until a server has this state. Returns the seconds that it took."""
    began = time.monotonic()
    while (found := site.states()[server]) != state:
        assert time.monotonic() - began < seconds, found
        time.sleep(0.1)
    return time.monotonic() - began


def test_a_reload_does_not_forget_which_node_is_down(haproxy: EdgeSite) -> None:
    haproxy.on("hdss7-21", "systemctl stop nginx")
    try:
        await_state(haproxy, OUT_OF_NODES, "down")
        worker = haproxy.edge("pgrep -P $(cat /run/haproxy.pid)")
        with haproxy.clients() as prober:
            assert not errors(haproxy.deploy("haproxy", keepalive=33))
            receipt = prober.receipt()
        assert haproxy.edge("pgrep -n -P $(cat /run/haproxy.pid)") != worker
        assert haproxy.states()[OUT_OF_NODES] == "down"
        assert receipt.failures == 0, receipt
        asked = haproxy.edge(f"journalctl -u haproxy -o cat | grep -c 'retries=[1-9].*{OUT_OF_NODES}' || true")
        assert asked == "0"
    finally:
        haproxy.on("hdss7-21", "systemctl start nginx")
    await_state(haproxy, OUT_OF_NODES, "up")


def test_a_silent_node_is_left_within_seconds_and_taken_back(haproxy: EdgeSite) -> None:
    haproxy.on("hdss7-22", f"ip route add {SILENT}")
    try:
        with haproxy.clients(rate=20, count=20) as prober:
            took = await_state(haproxy, "nodes/hdss7-22", "down")
            time.sleep(1)
            receipt = prober.receipt()
    finally:
        haproxy.on("hdss7-22", f"ip route del {SILENT}")
    print(f"left after {took:.1f} s: {receipt}")
    assert receipt.failures == 0, receipt
    await_state(haproxy, "nodes/hdss7-22", "up")


def test_a_configuration_that_is_refused_changes_nothing(haproxy: EdgeSite) -> None:
    before = haproxy.edge("readlink /etc/haproxy/site; pgrep -P $(cat /run/haproxy.pid)")
    report = haproxy.deploy("haproxy", worker_processes=1000)
    assert any("nbthread" in error for error in errors(report)), errors(report)
    assert haproxy.edge("readlink /etc/haproxy/site; pgrep -P $(cat /run/haproxy.pid)") == before


def test_a_port_that_is_taken_leaves_the_old_one_serving(haproxy: EdgeSite) -> None:
    haproxy.edge("systemd-run -q --unit=taken socat TCP-LISTEN:8081,fork /dev/null")
    try:
        with haproxy.clients() as prober:
            report = haproxy.deploy("haproxy", h2c_port=8081)
            receipt = prober.receipt()
    finally:
        haproxy.edge("systemctl stop taken")
    assert any("8081" in error for error in errors(report)), errors(report)
    assert receipt.failures == 0, receipt
    assert not errors(haproxy.deploy("haproxy"))


def test_old_processes_are_counted(haproxy: EdgeSite) -> None:
    haproxy.on("hdss7-200", "(curl -s -H 'Host: a.od.com' http://10.4.7.11/slow >/dev/null 2>&1 &)")
    assert not errors(haproxy.deploy("haproxy", keepalive=34))
    planned = haproxy.planned("haproxy", keepalive=35)["ConfigSet /etc/haproxy"]
    assert re.search("older configurations still serve, processes: 1", planned), planned


def test_the_api_is_reached_where_it_answers_a_handshake(haproxy: EdgeSite) -> None:
    certificate = (
        "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=api -keyout /tmp/k.pem -out /tmp/c.pem 2>/dev/null"
    )
    server = "systemd-run -q --unit=api openssl s_server -accept 6443 -www -key /tmp/k.pem -cert /tmp/c.pem"
    haproxy.on("hdss7-22", f"{certificate} && {server}")
    try:
        await_state(haproxy, "kube-apiserver/hdss7-22", "up")
        assert haproxy.states()["kube-apiserver/hdss7-21"] == "down"
        asked = "curl -sk -m 5 -o /dev/null -w '%{http_code} ' https://10.4.7.11:7443/"
        assert haproxy.on("hdss7-200", f"for i in 1 2 3 4; do {asked}; done").split() == ["200"] * 4
    finally:
        haproxy.on("hdss7-22", "systemctl stop api")
    await_state(haproxy, "kube-apiserver/hdss7-22", "down")


def test_only_a_trusted_sender_is_believed(haproxy: EdgeSite) -> None:
    told = "-H 'Host: a.od.com:8080' -H 'X-Forwarded-For: 6.6.6.6, 203.0.113.7' -H 'X-Forwarded-Port: 8443'"
    ask = f"curl -s -m 5 {told} http://10.4.7.11/seen"
    assert not errors(haproxy.deploy("haproxy", trusted=["10.4.7.22"]))
    assert haproxy.on("hdss7-22", ask) == "203.0.113.7 8443 a.od.com:8080"
    assert haproxy.on("hdss7-21", ask) == "10.4.7.21 8080 a.od.com:8080"


def test_a_new_certificate_costs_no_request(haproxy: EdgeSite) -> None:
    tls = {"source": "own", "redirect": False}
    assert not errors(haproxy.deploy("haproxy", tls=tls))
    keys = next(Lab.named(haproxy.name).directory.rglob("ca-od.com.pem")).parent
    shown = (
        "echo | openssl s_client -connect 10.4.7.11:443 -servername a.od.com 2>/dev/null | openssl x509 -serial -noout"
    )
    before = haproxy.edge(shown)
    (keys / "od.com.pem").unlink()
    asked = [Target("https://a.od.com/", EDGE, 443), Target("https://b.od.com/", EDGE, 443, method="POST")]
    with Prober(asked, dialer(haproxy.name), rate=50, clients=4) as prober:
        assert not errors(haproxy.deploy("haproxy", tls=tls))
        receipt = prober.receipt()
    assert receipt.failures == 0, receipt
    assert haproxy.edge(shown) != before
    for name, trusted in (("a.od.com", "200"), ("a.example.org", "000"), ("od.com", "000")):
        ask = f"curl -sk -m 5 -o /dev/null -w '%{{http_code}}' --connect-to ::10.4.7.11: https://{name}/ || :"
        assert haproxy.edge(ask) == trusted, name
    assert not errors(haproxy.deploy("haproxy"))


def test_a_line_of_a_header_has_its_limit(haproxy: EdgeSite) -> None:
    line = "$(head -c %d /dev/zero | tr '\\0' x)"
    ask = "curl -s -m 5 -o /dev/null -w '%%{http_code}' -H 'Host: a.od.com' %s"
    assert haproxy.edge(ask % f'-H "X-Long: {line % 32000}" http://10.4.7.11/') == "200"
    assert haproxy.edge(ask % f'-H "X-Long: {line % 33000}" http://10.4.7.11/') == "400"
    assert haproxy.edge(ask % f'"http://10.4.7.11/{line % 33000}"') == "414"
