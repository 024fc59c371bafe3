"""The edge between ten sites: what one of them answers, or fails to, harms no other, and a silent node is left."""

from __future__ import annotations

import re
import resource
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from provision.traffic.probe import Prober
from tests.lab.clients import await_answered
from tests.lab.entrance import (
    HANGS,
    ILL,
    ILLNESSES,
    MANY_ROLLS,
    NAME,
    SILENT,
    SOCKETS,
    WELL,
    Entrance,
    asked_ill,
    asking,
)
from tests.lab.faults.streams import WebSocket

IDLE = 1200  # more than systemd's 1024 open files
LEFT = 10.0  # seconds after which nobody waits for a node that is silent
ROLLS, LIKE = 10, 2  # after ten rolls no more memory than after two


@pytest.mark.core
@pytest.mark.parametrize(
    ("path", "answered"),
    [
        ("/header?bytes=70000", {502}),
        ("/empty", {502}),
        ("/reset", {0, 502}),  # 502 where the reset comes before Traefik has passed the first half on
        ("/500", {500}),
        ("/silence", None),
    ],
)
def test_an_ill_site_harms_no_other(entrance: Entrance, path: str, answered: set[int] | None) -> None:
    with asked_ill(entrance, path, clients=20) as statuses, asking(*WELL) as prober:
        time.sleep(8)
        receipt = prober.receipt()
    entrance.note(ILLNESSES[path], receipt, f"the ill application was asked {len(statuses)} times meanwhile")
    assert receipt.failures == 0, receipt
    assert receipt.longest_gap < 1000, receipt
    assert answered is None or (statuses and set(statuses) <= answered), set(statuses)


@pytest.mark.core
def test_long_headers_pass_and_longer_ones_are_refused(entrance: Entrance) -> None:
    assert entrance.answer(ILL, "/header?bytes=62000")[0] == 200
    assert entrance.answer(ILL, "/header?bytes=70000")[0] == 502
    assert len(entrance.seen({"X-Long": "x" * 32000})["X-Long"]) == 32000
    assert entrance.answer(ILL, "/", {"X-Long": "x" * 33000})[0] == 400
    assert entrance.answer(ILL, f"/?{'x' * 33000}")[0] == 414
    assert all(entrance.answer(name, "/")[0] == 200 for name in WELL)


def test_headers_beyond_their_limit_harm_nobody(entrance: Entrance) -> None:
    for _ in range(14):  # of which three, within ten seconds, used to take every node out
        entrance.answer(ILL, "/header?bytes=70000")
    assert {entrance.answer(name, "/")[0] for name in WELL * 2} == {200}


@pytest.mark.core
def test_more_websockets_than_systemd_allows_files(entrance: Entrance) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    try:
        sockets = entrance.open_sockets(IDLE)
        with asking(*WELL) as prober:
            time.sleep(3)
            receipt = prober.receipt()
        for each in sockets:
            each.look()
    finally:
        del sockets
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    entrance.note(SOCKETS, receipt, "each of them says back what it hears")
    assert receipt.failures == 0, receipt
    assert "Too many open files" not in entrance.on("hdss7-11", "cat /var/log/nginx/error.log")


def test_more_clients_than_the_host_allows_files_are_refused(entrance: Entrance) -> None:
    planned = entrance.typed("plan", "edge.connections=6000")
    assert planned.code == 4, str(planned)
    assert "edge.connections needs 24256 open files" in planned.errors
    assert re.search(r"hard limit of open files \(nofile\) is \d+", planned.errors), planned.errors
    assert "Traceback" not in planned.output + planned.errors


def waits(prober: Prober, since: float) -> list[float]:
    """When requests began that were not answered within a second: seconds after this moment."""
    return [answer.began - since for answer in prober._answers if answer.seconds > 1]


@pytest.mark.core
def test_a_traefik_that_hangs_is_left_within_seconds(entrance: Entrance) -> None:
    with asking(*WELL, rate=20) as prober:
        time.sleep(2)
        entrance.on("hdss7-22", "kill -STOP $(pgrep -x traefik)")
        began = prober._elapsed
        time.sleep(20)
        receipt = prober.receipt()
        waited = max(waits(prober, began), default=0.0)
    entrance.note(HANGS, receipt, f"nobody waited any more {waited:.1f} s later; it is ended and started anew")
    assert waited < LEFT, receipt
    # those that waited were asked once more, at the other node; a new Traefik listens before it has its routes
    assert all(fault.endswith("status 404, expected 200") for fault in receipt.first_faults), receipt
    assert receipt.failures < 5, receipt
    await_answered(NAME)


@pytest.mark.core
def test_a_node_that_is_silent_is_left_within_seconds(entrance: Entrance) -> None:
    rule = "PREROUTING -s 10.4.7.11 -j DROP"
    with ExitStack() as stack, asking(*WELL, rate=20) as prober:
        time.sleep(2)
        entrance.on("hdss7-22", f"iptables -t raw -I {rule}")
        stack.callback(entrance.on, "hdss7-22", f"iptables -t raw -D {rule}")
        began = prober._elapsed
        time.sleep(20)
        receipt = prober.receipt()
        slow = f"{len(waits(prober, began))} requests waited: those that the node had, and a few every fail_timeout"
        entrance.note(SILENT, receipt, slow)
        late = [when for when in waits(prober, began) if 6 < when < LEFT]
        assert not late, (waits(prober, began), receipt)
    await_answered(NAME)


def test_plan_and_verify_count_the_workers_that_sockets_keep(entrance: Entrance) -> None:
    sockets = entrance.open_sockets(4)
    changed = entrance.typed("deploy", "edge.keepalive=33")
    assert changed.code == 0, str(changed)
    for each in sockets:
        each.look()
    planned = entrance.typed("plan")
    assert re.search(r"older configurations still serve, processes: [1-9]", planned.output), str(planned)
    verified = entrance.typed("verify", "edge.keepalive=33")
    assert verified.code == 0, str(verified)
    assert re.search(r"[1-9] serve connections that are still open, for \d+ s more", verified.output), str(verified)
    assert entrance.typed("deploy").code == 0


def memory(entrance: Entrance) -> int:
    """Kilobytes of all of the edge's nginx, what processes share counted once."""
    return int(entrance.on("hdss7-11", "for p in $(pgrep -x nginx); do "
                       "cat /proc/$p/smaps_rollup; done | awk '/^Pss:/ { n += $2 } END { print n }'"))  # fmt: skip


@contextmanager
def sampled(measure: Callable[[], int]) -> Iterator[list[int]]:
    """What is measured every two seconds meanwhile."""
    over, samples = threading.Event(), list[int]()

    def sample() -> None:
        while not over.wait(2):
            samples.append(measure())

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield samples
    finally:
        over.set()
        thread.join(30)


def test_ten_rolls_with_a_socket_open_need_no_more_memory_than_two(entrance: Entrance) -> None:
    peaks, open_all_the_time = list[int](), list[WebSocket]()
    for number in range(ROLLS):
        open_all_the_time += entrance.open_sockets(1)
        with sampled(lambda: memory(entrance)) as samples:
            rolled = entrance.typed("deploy", f"traefik.log_level={'DEBUG' if number % 2 else 'WARN'}")
        assert rolled.code == 0, str(rolled)
        peaks.append(max(samples))
    entrance.note(
        MANY_ROLLS, "not asked", f"nginx needed at most {max(peaks[:LIKE])} KB in two rolls, {max(peaks)} KB in ten"
    )
    # how many reloads fall into one shutdown_timeout differs; without that limit ten rolls need five times as much
    assert max(peaks) <= 2 * max(peaks[:LIKE]), peaks
    assert entrance.typed("deploy").code == 0
