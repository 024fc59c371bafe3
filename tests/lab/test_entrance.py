"""The edge between ten sites: what one of them answers, or fails to, harms no other; and what passes through it."""

from __future__ import annotations

import http.client
import itertools
import json
import re
import resource
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

from lab import commands
from lab.network import dial_in
from lab.state import Lab
from provision.traffic.probe import Prober, Target
from provision.traffic.receipt import Receipt
from tests.lab.application import BETWEEN, EVENTS, GRPC, application, objects
from tests.lab.clients import EDGE, await_answered, dialer
from tests.lab.faults.streams import WebSocket
from tests.lab.running import Ended
from tests.lab.typed import KUBECTL, Typed, deployed_site

NAME, H2C_PORT, TRUSTED = "t-entrance", 8081, "hdss7-22"
ILL, *WELL = (f"app{number}" for number in range(10))
IDLE = 1200  # more than systemd's 1024 open files
LEFT = 10.0  # seconds after which nobody waits for a node that is silent
SAYS = {
    "edge": {
        "h2c_port": H2C_PORT,
        "shutdown_timeout": "60s",
        "sites": {"grpc": {"protocol": "h2c"}},
        "trusted": ["10.4.7.22"],
    }
}
ROLLS, LIKE = 10, 2  # after ten rolls no more memory than after two


class Entrance(Typed):
    """The site, deployed with these settings of its edge."""

    def __init__(self, name: str, said: Path) -> None:
        super().__init__(name)
        self.words = ("--extra-vars", f"@{said}")

    def typed(self, *words: str) -> Ended:
        """A command of the site with its settings. words: the command, and further settings."""
        command, *more = words
        return self.invoke(command, *self.words, *(word for each in more for word in ("--extra-vars", each)))

    def answer(
        self, name: str, path: str, headers: Mapping[str, str] | None = None, body: bytes = b"", origin: str = ""
    ) -> tuple[int, bytes]:
        """Status and body of NAME.od.com. body: posts it. origin: the host that asks, instead of the ops host."""
        connection = http.client.HTTPConnection(f"{name}.od.com")
        connection.sock = dial_in(Lab.named(self.name), EDGE, 80, 20.0, origin)
        connection.request("POST" if body else "GET", path, body or None, dict(headers or {}))
        response = connection.getresponse()
        return response.status, response.read()

    def seen(self, headers: Mapping[str, str] | None = None, origin: str = "") -> dict[str, str]:
        """The headers that reach the application."""
        status, body = self.answer(WELL[0], "/seen", headers, origin=origin)
        assert status == 200, body
        found: dict[str, str] = json.loads(body)
        return found

    def open_sockets(self, count: int) -> list[WebSocket]:
        """WebSockets that have been used once."""
        sockets = [WebSocket(dialer(self.name)) for _ in range(count)]
        for each in sockets:
            each.look()
        return sockets


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Entrance]:
    """The default site with ten more: app0.od.com to app9.od.com, one application that is ill where it is asked to."""
    said = tmp_path_factory.mktemp("entrance") / "edge.json"
    said.write_text(json.dumps(SAYS))
    made = Entrance(NAME, said)
    with deployed_site(made, words=made.words), application(Lab.named(NAME)):
        images = made.on("hdss7-21", f"{KUBECTL} get deploy -A -o jsonpath='{{..image}}'").split()
        grpc = GRPC % next(image for image in images if "agnhost" in image)
        written = f"cat >/root/objects.yaml <<'END'\n{objects((ILL, *WELL))}\n---\n{grpc}\nEND\n"
        made.on("hdss7-21", f"{written}{KUBECTL} apply -f /root/objects.yaml")
        made.on("hdss7-21", f"{KUBECTL} rollout status deployment/grpc --timeout=60s")
        await_answered(NAME)
        for name in (ILL, *WELL):
            until = time.monotonic() + 20
            while made.answer(name, "/")[0] != 200 and time.monotonic() < until:
                time.sleep(0.2)
        yield made


def asking(*names: str, rate: float = 45) -> Prober:
    """Clients of sites, one request after the other. As a context manager."""
    return Prober([Target(f"http://{name}.od.com/", EDGE) for name in names], dialer(NAME), rate=rate, clients=20)


@contextmanager
def asked_ill(site: Entrance, path: str, clients: int) -> Iterator[list[int]]:
    """The ill application is asked all the time. Gives the statuses that come back, as they come."""
    over, statuses = threading.Event(), list[int]()

    def ask(post: bool) -> None:
        while not over.is_set():
            try:
                statuses.append(site.answer(ILL, path, body=b"x" if post else b"")[0])
            except (OSError, http.client.HTTPException):
                statuses.append(0)

    threads = [threading.Thread(target=ask, args=(number % 2 == 1,), daemon=True) for number in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield statuses
    finally:
        over.set()
        for thread in threads:
            thread.join(25)


@pytest.mark.core
@pytest.mark.parametrize(
    ("path", "answered"),
    [("/header?bytes=70000", 502), ("/empty", 502), ("/reset", 0), ("/500", 500), ("/silence", None)],
)
def test_an_ill_site_harms_no_other(site: Entrance, path: str, answered: int | None) -> None:
    with asked_ill(site, path, clients=20) as statuses, asking(*WELL) as prober:
        time.sleep(8)
        receipt = prober.receipt()
    assert receipt.failures == 0, receipt
    assert receipt.longest_gap < 1000, receipt
    assert answered is None or (statuses and set(statuses) == {answered}), set(statuses)


@pytest.mark.core
def test_long_headers_pass_and_longer_ones_are_refused(site: Entrance) -> None:
    assert site.answer(ILL, "/header?bytes=62000")[0] == 200
    assert site.answer(ILL, "/header?bytes=70000")[0] == 502
    assert len(site.seen({"X-Long": "x" * 32000})["X-Long"]) == 32000
    assert site.answer(ILL, "/", {"X-Long": "x" * 33000})[0] == 400
    assert site.answer(ILL, f"/?{'x' * 33000}")[0] == 414
    assert all(site.answer(name, "/")[0] == 200 for name in WELL)


def test_headers_beyond_their_limit_harm_nobody(site: Entrance) -> None:
    for _ in range(14):  # of which three, within ten seconds, used to take every node out
        site.answer(ILL, "/header?bytes=70000")
    assert {site.answer(name, "/")[0] for name in WELL * 2} == {200}


@pytest.mark.core
def test_more_websockets_than_systemd_allows_files(site: Entrance) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    try:
        sockets = site.open_sockets(IDLE)
        with asking(*WELL) as prober:
            time.sleep(3)
            receipt = prober.receipt()
        for each in sockets:
            each.look()
    finally:
        del sockets
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert receipt.failures == 0, receipt
    assert "Too many open files" not in site.on("hdss7-11", "cat /var/log/nginx/error.log")


def test_more_clients_than_the_host_allows_files_are_refused(site: Entrance) -> None:
    planned = site.typed("plan", "edge.connections=6000")
    assert planned.code == 4, str(planned)
    assert "edge.connections needs 24256 open files" in planned.errors
    assert re.search(r"hard limit of open files \(nofile\) is \d+", planned.errors), planned.errors
    assert "Traceback" not in planned.output + planned.errors


def left(receipt: Receipt, prober: Prober, since: float) -> float:
    """Seconds until the last request began that was not answered within a second."""
    slow = [answer.began - since for answer in prober._answers if answer.seconds > 1 or answer.fault]
    return max(slow, default=0.0)


@pytest.mark.core
def test_a_traefik_that_hangs_is_left_within_seconds(site: Entrance) -> None:
    with asking(*WELL, rate=20) as prober:
        time.sleep(2)
        site.on("hdss7-22", "kill -STOP $(pgrep -x traefik)")
        began = prober._elapsed
        time.sleep(20)
        receipt = prober.receipt()
        assert left(receipt, prober, began) < LEFT, receipt
    assert receipt.failures == 0, receipt  # those that waited were asked once more, at the other node
    await_answered(NAME)


@pytest.mark.core
def test_a_node_that_is_silent_is_left_within_seconds(site: Entrance) -> None:
    rule = "PREROUTING -s 10.4.7.11 -j DROP"
    with ExitStack() as stack, asking(*WELL, rate=20) as prober:
        time.sleep(2)
        site.on("hdss7-22", f"iptables -t raw -I {rule}")
        stack.callback(site.on, "hdss7-22", f"iptables -t raw -D {rule}")
        began = prober._elapsed
        time.sleep(20)
        receipt = prober.receipt()
        quiet = [answer for answer in prober._answers if began + 4 < answer.began < began + LEFT]
        assert all(answer.seconds < 1 and not answer.fault for answer in quiet), receipt
    await_answered(NAME)


SENT = {
    "X-Forwarded-For": "203.0.113.7",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Port": "8443",
    "X-Forwarded-Host": "shop.example.org",
}


@pytest.mark.core
def test_a_trusted_sender_says_who_asks_and_how(site: Entrance) -> None:
    seen = site.seen(SENT, origin=TRUSTED)
    assert seen["X-Forwarded-For"].split(", ")[0] == "203.0.113.7"
    assert seen["X-Real-Ip"] == "203.0.113.7"
    assert {name: seen[name] for name in SENT if name != "X-Forwarded-For"} == {
        name: value for name, value in SENT.items() if name != "X-Forwarded-For"
    }


def test_a_client_cannot_speak_through_a_trusted_sender(site: Entrance) -> None:
    # a load balancer adds the client that it saw to what that client has written
    seen = site.seen({"X-Forwarded-For": "6.6.6.6, 203.0.113.7", "X-Forwarded-Proto": "gopher"}, origin=TRUSTED)
    assert "6.6.6.6" not in str(seen)
    assert seen["X-Forwarded-For"].split(", ")[0] == "203.0.113.7"
    assert seen["X-Forwarded-Proto"] == "http"


@pytest.mark.core
def test_nobody_else_is_believed(site: Entrance) -> None:
    seen = site.seen(SENT)
    assert not set(SENT.values()) & set(seen.values()), seen
    assert seen["X-Forwarded-For"].split(", ")[0] == "10.4.7.200"
    assert (seen["X-Forwarded-Proto"], seen["X-Forwarded-Port"]) == ("http", "80")


@pytest.mark.parametrize(
    ("path", "host", "port"), [("/seen", ":8080", "8080"), ("/seen", "", "80"), ("http://{}:9000/seen", "", "9000")]
)
def test_the_port_that_was_asked_for_is_kept(site: Entrance, path: str, host: str, port: str) -> None:
    name = f"{WELL[0]}.od.com"
    status, body = site.answer(WELL[0], path.format(name), {"Host": f"{name}{host}"})
    assert status == 200
    seen = json.loads(body)
    assert seen["Host"] == (name if port == "80" else f"{name}:{port}")
    assert seen["X-Forwarded-Port"] == port


@pytest.mark.core
def test_events_arrive_one_by_one(site: Entrance) -> None:
    connection = http.client.HTTPConnection(f"{ILL}.od.com")
    connection.sock = dialer(NAME)(EDGE, 80, 10.0)
    connection.request("GET", "/events")
    response, came = connection.getresponse(), list[float]()
    while line := response.readline():
        came += [time.monotonic()] if line.startswith(b"data:") else []
    assert len(came) == EVENTS
    assert min(later - earlier for earlier, later in itertools.pairwise(came)) > BETWEEN / 2


def test_an_upload_passes(site: Entrance) -> None:
    size = 60 << 20
    assert site.answer(ILL, "/count", body=bytes(size)) == (200, str(size).encode())


def curl(words: str) -> str:
    """What curl prints on the ops host."""
    argv = commands.command(NAME, "hdss7-200", ["sh", "-c", f"curl -sS -m 10 {words}"])
    return subprocess.run(argv, capture_output=True, timeout=30, check=True).stdout.decode("latin-1")


@pytest.mark.core
def test_grpc_reaches_a_pod_and_its_trailers_come_back(site: Entrance) -> None:
    at = f"--resolve grpc.od.com:{H2C_PORT}:{EDGE} http://grpc.od.com:{H2C_PORT}"
    empty = "--data-binary @/tmp/empty-message -H 'content-type: application/grpc' -H 'te: trailers'"
    told = f"--http2-prior-knowledge -i {empty} {at}"
    argv = commands.command(NAME, "hdss7-200", ["sh", "-c", "printf '\\000\\000\\000\\000\\000' >/tmp/empty-message"])
    subprocess.run(argv, check=True, timeout=10)
    answer = curl(f"{told}/grpc.health.v1.Health/Check")
    assert "HTTP/2 200" in answer
    assert "\0\0\0\0\2\x08\1" in answer  # SERVING
    assert re.search(r"^grpc-status: 0", answer, re.M), answer
    unknown = curl(f"{told}/grpc.health.v1.Health/{quote('None')}")
    assert re.search(r"^grpc-status: 12", unknown, re.M), unknown  # the pod's own error passes as well


def test_plan_and_verify_count_the_workers_that_sockets_keep(site: Entrance) -> None:
    sockets = site.open_sockets(4)
    changed = site.typed("deploy", "edge.keepalive=33")
    assert changed.code == 0, str(changed)
    planned = site.typed("plan")
    assert re.search(r"older configurations still serve, processes: [1-9]", planned.output), str(planned)
    verified = site.typed("verify", "edge.keepalive=33")
    assert verified.code == 0, str(verified)
    assert re.search(r"[1-9] serve connections that are still open, for \d+ s more", verified.output), str(verified)
    for each in sockets:
        each.look()
    assert site.typed("deploy").code == 0


def memory(site: Entrance) -> int:
    """Kilobytes of all of the edge's nginx, what processes share counted once."""
    return int(site.on("hdss7-11", "for p in $(pgrep -x nginx); do "
                       "cat /proc/$p/smaps_rollup; done | awk '/^Pss:/ { n += $2 } END { print n }'"))  # fmt: skip


def test_ten_rolls_with_a_socket_open_need_no_more_memory_than_two(site: Entrance) -> None:
    needed = list[int]()
    for number in range(ROLLS):
        (socket,) = site.open_sockets(1)
        rolled = site.typed("deploy", f"traefik.log_level={'DEBUG' if number % 2 else 'WARN'}")
        assert rolled.code == 0, str(rolled)
        needed.append(memory(site))
        del socket
    assert max(needed[LIKE:]) <= 1.3 * max(needed[:LIKE]), needed
    assert site.typed("deploy").code == 0
