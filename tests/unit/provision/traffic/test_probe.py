"""Who writes the receipt of a rolling change, against real sockets."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from provision.playbook.health_check import Application, HealthCheck
from provision.resources import ConfigSet, Nginx
from provision.rolling.edges import Edge, Node, targets
from provision.traffic.probe import Prober, Target, ask, serving
from roles._x509 import Authority, Certificate

NOW = datetime.now(UTC)
Serve = Callable[[int], Target]


def dial(host: str, port: int, timeout: float) -> socket.socket:
    return socket.create_connection((host, port), timeout)


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Servers that answer everything with one status."""
    servers = []

    def one(status: int) -> Target:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.release()
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return Target(f"http://127.0.0.1:{server.server_port}/", "127.0.0.1", server.server_port)

    asked = threading.Semaphore(0)
    one.asked = asked  # type: ignore[attr-defined]
    yield one
    for server in servers:
        server.shutdown()
        server.server_close()


def answered(serve: Serve, times: int) -> None:
    """Waits until the servers were asked that often."""
    for _ in range(times):
        assert serve.asked.acquire(timeout=10)  # type: ignore[attr-defined]


def test_what_did_not_answer_before_is_told_apart_from_what_did(serve: Serve) -> None:
    good, bad = serve(200), serve(404)
    nobody = Target("http://x/", "127.0.0.1", 1)
    assert serving([good, bad, nobody], dial) == ((good,), (bad, nobody))


def test_a_drained_node_is_not_asked(serve: Serve) -> None:
    always, node = serve(200), serve(500)
    own = Target(node.url, node.address, node.port, node="n1")
    prober = Prober([always, own], dial, rate=200)
    prober.out("n1")
    with prober:
        answered(serve, 6)
        assert prober.failures == 0
        prober.back("n1")
        answered(serve, 6)
    receipt = prober.receipt()
    assert datetime.fromisoformat(receipt.began) <= datetime.now(UTC)
    assert receipt.failures > 0
    assert receipt.first_faults[0].endswith("status 500, expected 200")
    (window,) = receipt.windows
    assert window.host == "n1"
    assert window.back is not None
    assert window.back >= window.out


def test_a_node_has_to_answer_by_itself_what_it_answered_before(serve: Serve) -> None:
    good, bad = (Target(t.url, t.address, t.port, node="n1") for t in (serve(200), serve(503)))
    prober = Prober([good, bad], dial)
    assert prober.why_unhealthy("n1", 0.2).endswith("status 503, expected 200 for 0 s")
    assert Prober([good], dial).why_unhealthy("n1", 0.2) == ""
    assert prober.why_unhealthy("n2", 0.2) == ""
    assert prober.receipt().requests == 0


def test_the_longest_gap_is_of_what_has_to_answer_all_the_time(serve: Serve) -> None:
    broken, node = serve(500), serve(200)
    own = Target(node.url, node.address, node.port, node="n1")
    with Prober([broken, own], dial, rate=100) as prober:
        answered(serve, 20)
    receipt = prober.receipt()
    assert receipt.longest_gap == pytest.approx(receipt.seconds * 1000)


def test_with_nothing_to_ask_the_receipt_says_what_was_left_out() -> None:
    nobody = Target("http://x/", "127.0.0.1", 1)
    with Prober([], dial, not_served=[nobody]) as prober:
        pass
    receipt = prober.receipt()
    assert (receipt.requests, receipt.failures, receipt.asked) == (0, 0, 0)
    assert receipt.not_served == ("GET http://x/ at 127.0.0.1:1",)


def test_a_prober_asks_every_edge_and_each_nodes_ports() -> None:
    config = ConfigSet(directory="/etc/nginx", files={}, activation=Nginx())
    edges = [Edge(name, None, config, f"10.0.0.{n}") for n, name in enumerate("ab")]  # type: ignore[arg-type]
    nodes = [Node("n1", "10.0.1.1"), Node("n2", "10.0.1.2")]
    watch = HealthCheck("http://traefik.od.com/dashboard/", 81, (8000,))
    found = [(t.url, t.address, t.port, t.node) for t in targets(watch, edges, nodes)]
    assert found == [
        ("http://traefik.od.com/dashboard/", "10.0.0.0", 80, ""),
        ("http://10.0.1.1:8000/", "10.0.1.1", 8000, "n1"),
        ("http://traefik.od.com/dashboard/", "10.0.0.1", 80, ""),
        ("http://10.0.1.2:8000/", "10.0.1.2", 8000, "n2"),
    ]


def test_a_prober_asks_every_application_through_edges_and_nodes() -> None:
    config = ConfigSet(directory="/etc/nginx", files={}, activation=Nginx())
    edges = [Edge("a", None, config, "10.0.0.1")]  # type: ignore[arg-type]
    nodes = [Node("n1", "10.0.1.1"), Node("n2", "10.0.1.2")]
    shop = Application("shop", "http://shop.od.com/x", 302)
    found = targets(HealthCheck("http://traefik.od.com/dashboard/", 81, (), (shop,)), edges, nodes)
    assert [(t.address, t.port, t.node, t.expect) for t in found if t.application == "shop"] == [
        ("10.0.0.1", 80, "", 302),
        ("10.0.1.1", 81, "n1", 302),
        ("10.0.1.2", 81, "n2", 302),
    ]
    assert sum(not t.application for t in found) == 3  # by turns with the site's own
    assert str(found[1]) == "application shop: GET http://shop.od.com/x at 10.0.0.1:80"


def test_an_application_that_fails_everywhere_is_no_nodes_fault(serve: Serve) -> None:
    good, bad = serve(200), serve(503)

    def shop(of: Target, node: str = "") -> Target:
        return Target("http://shop.od.com/", of.address, of.port, node=node, application="shop")

    elsewhere, nowhere = Prober([shop(good), shop(bad, "n1")], dial), Prober([shop(bad), shop(bad, "n1")], dial)
    for prober in (elsewhere, nowhere):
        assert prober.why_unhealthy("n1", 0.2).startswith("application shop: GET http://shop.od.com/ at 127.0.0.1")
    assert "status 503" in elsewhere.why_unhealthy("n1", 0.2, alone=True)
    assert nowhere.why_unhealthy("n1", 0.2, alone=True) == ""


def test_a_receipt_counts_each_application(serve: Serve) -> None:
    own, good, bad = serve(200), serve(200), serve(404)
    shop = Target(good.url, good.address, good.port, application="shop")
    blog = Target(bad.url, bad.address, bad.port, application="blog")
    with Prober([own, shop, blog], dial, rate=100) as prober:
        answered(serve, 12)
    receipt = prober.receipt()
    seen = {each.name: each for each in receipt.applications}
    assert seen["shop"].failures == 0
    assert 0 < seen["blog"].failures == seen["blog"].requests == receipt.failures
    assert str(receipt).endswith(
        f"; of these shop {seen['shop'].requests}, 0 failed; blog {seen['blog'].requests}, {receipt.failures} failed"
    )


def test_an_edge_with_tls_is_asked_by_https_and_a_node_is_not() -> None:
    config = ConfigSet(directory="/etc/nginx", files={}, activation=Nginx())
    edges = [Edge("a", None, config, "10.0.0.1")]  # type: ignore[arg-type]
    shop = Application("shop", "http://shop.od.com/x")
    check = HealthCheck("http://traefik.od.com/dashboard/", 81, (8000,), (shop,), tls=True)
    assert {(t.url, t.port) for t in targets(check, edges, [Node("n1", "10.0.1.1")])} == {
        ("https://traefik.od.com/dashboard/", 443),
        ("https://shop.od.com/x", 443),
        ("http://shop.od.com/x", 81),
        ("http://10.0.1.1:8000/", 8000),
    }


def test_a_closed_name_is_asked_for_its_health_and_no_node_past_the_edge() -> None:
    config = ConfigSet(directory="/etc/nginx", files={}, activation=Nginx())
    edges = [Edge("a", None, config, "10.0.0.1")]  # type: ignore[arg-type]
    apps = (Application("shop", "http://shop.od.com/x", 302), Application("open", "http://open.od.com/"))
    check = HealthCheck(
        "http://traefik.od.com/dashboard/",
        81,
        (),
        apps,
        closed=frozenset({"shop.od.com"}),
        health="/h",
        nodes_closed=True,
    )
    assert {(t.method, t.url, t.expect) for t in targets(check, edges, [Node("n1", "10.0.1.1")])} == {
        ("GET", "http://traefik.od.com/dashboard/", 200),
        ("HEAD", "http://shop.od.com/h", 302),
        ("GET", "http://open.od.com/", 200),
    }


def test_a_certificate_that_nobody_trusts_is_no_failure(tmp_path: Path) -> None:
    key, certificate = Authority.new("x", NOW).issue(Certificate("x", "x", names=("x.od.com",), server=True), NOW, 1)
    (tmp_path / "x.pem").write_bytes(key + certificate)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "x.pem")
    with ThreadingHTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        assert ask(Target("https://y.od.com/", "127.0.0.1", server.server_port), dial) == ""
        assert ask(Target("http://y.od.com/", "127.0.0.1", server.server_port), dial) != ""
        server.shutdown()
