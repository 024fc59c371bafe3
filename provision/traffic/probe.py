"""Sends requests to a site through its edges, at a bounded rate, while nodes change, and counts what failed."""

from __future__ import annotations

import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from provision.traffic.receipt import Receipt, Seen, Window

if TYPE_CHECKING:
    import ssl

Dialer = Callable[[str, int, float], socket.socket]
TIMEOUT = 10.0  # seconds that a request may take before it counts as failed


@dataclass(frozen=True)
class Target:
    """One thing to ask for: `url` names host and path, and whether it is TLS; `address` and `port` where the connection
    goes.

    node: the host that answers by itself; it is not asked while it is out. '' for what has to answer all the time.
    application: the one that is asked, '' for the site's own.
    """

    url: str
    address: str
    port: int = 80
    method: str = "GET"
    expect: int = 200
    node: str = ""
    application: str = ""

    def __str__(self) -> str:
        asked = f"{self.method} {self.url} at {self.address}:{self.port}"
        return f"application {self.application}: {asked}" if self.application else asked


@dataclass(frozen=True)
class Answer:
    """One request: when it began (seconds since the prober did), how long it took, what was wrong ('' for nothing)."""

    target: Target
    began: float
    seconds: float
    fault: str


class Prober:
    """Asks every target in turn, `rate` times a second in all, by `clients` threads. Use as a context manager."""

    def __init__(
        self,
        targets: Sequence[Target],
        dial: Dialer,
        *,
        rate: float = 10,
        clients: int = 2,
        not_served: Iterable[Target] = (),
    ) -> None:
        """not_served: what the receipt names as not asked."""
        self._targets = itertools.cycle(targets)
        self._all = tuple(dict.fromkeys(targets))
        self._count = len(targets)
        self._not_served = tuple(str(target) for target in not_served)
        self._windows: list[Window] = []
        self._out: set[str] = set()
        self._dial = dial
        self._rate = rate
        self._answers: list[Answer] = []
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._began, self._since = time.monotonic(), datetime.now(UTC)
        self._slots = itertools.count()
        self._threads = [threading.Thread(target=self._client, daemon=True) for _ in range(clients if targets else 0)]

    def __enter__(self) -> Prober:
        self._began, self._since = time.monotonic(), datetime.now(UTC)
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(TIMEOUT + 1)

    @property
    def failures(self) -> int:
        """How many requests failed so far."""
        with self._lock:
            return sum(1 for answer in self._answers if answer.fault)

    def out(self, host: str) -> None:
        """A host begins to be out: what it answers by itself is not asked."""
        with self._lock:
            self._out.add(host)
            self._windows.append(Window(host, self._elapsed))

    def back(self, host: str) -> None:
        """A host takes requests again."""
        with self._lock:
            self._out.discard(host)
            self._windows = [
                replace(w, back=self._elapsed) if w.host == host and w.back is None else w for w in self._windows
            ]

    def why_unhealthy(self, host: str, seconds: float, *, alone: bool = False) -> str:
        """What a host does not answer that it answered by itself before, after that many seconds; '' for nothing.

        To be asked of one that is out: what is answered here is not in the receipt. alone: an application that the
        other hosts do not answer for either is no fault of this one.
        """
        until = time.monotonic() + seconds
        for target in (target for target in self._all if target.node == host):
            while fault := ask(target, self._dial):
                if alone and target.application and not self._answers_elsewhere(target):
                    break
                if time.monotonic() > until:
                    return f"{target}: {fault} for {seconds:.0f} s"
                time.sleep(1 / self._rate)
        return ""

    def _answers_elsewhere(self, asked: Target) -> bool:
        """Whether its URL is answered through an edge, which leads to the other hosts now."""
        through = (target for target in self._all if target.url == asked.url and not target.node)
        return any(not ask(target, self._dial) for target in through)

    @property
    def _elapsed(self) -> float:
        return time.monotonic() - self._began

    def receipt(self) -> Receipt:
        """What was seen so far."""
        seconds = self._elapsed
        with self._lock:
            answers = sorted(self._answers, key=lambda a: a.began)
            windows = tuple(self._windows)
        faults = [f"+{a.began:.1f} s {a.target}: {a.fault}" for a in answers if a.fault]
        always = [a for a in answers if not a.target.node]
        return Receipt(
            requests=len(answers),
            failures=len(faults),
            longest_gap=_gap(always, seconds) * 1000 if always else 0.0,
            seconds=seconds,
            rate=len(answers) / seconds if seconds else 0.0,
            asked=self._rate if self._threads else 0.0,
            first_faults=tuple(faults[:5]),
            windows=windows,
            not_served=self._not_served,
            began=self._since.isoformat(timespec="milliseconds"),
            applications=_seen(answers),
        )

    def _client(self) -> None:
        """Takes the next slot of the schedule, waits for it, asks. A slow answer delays this client alone."""
        while not self._stop.is_set():
            with self._lock:
                slot = next(self._slots)
                target = next(
                    (t for t in itertools.islice(self._targets, self._count) if t.node not in self._out), None
                )
            wait = self._began + slot / self._rate - time.monotonic()
            if self._stop.wait(max(0.0, wait)):
                return
            if target is None:
                continue
            began = time.monotonic()
            fault = ask(target, self._dial)
            done = time.monotonic()
            if target.node in self._out:
                continue  # it was taken out while it was asked: nothing is promised of it
            with self._lock:
                self._answers.append(Answer(target, began - self._began, done - began, fault))


def serving(targets: Iterable[Target], dial: Dialer, tries: int = 2) -> tuple[tuple[Target, ...], tuple[Target, ...]]:
    """(those that answer now, those that do not, even when asked `tries` times). All are asked at once."""
    every = tuple(dict.fromkeys(targets))
    with ThreadPoolExecutor(max(1, min(20, len(every)))) as pool:
        good = list(pool.map(lambda target: any(not ask(target, dial) for _ in range(tries)), every))
    return tuple(itertools.compress(every, good)), tuple(t for t, served in zip(every, good, strict=True) if not served)


def ask(target: Target, dial: Dialer) -> str:
    """One request on a connection of its own. What was wrong with the answer, '' for nothing."""
    import http.client  # brings email and ssl along: a run that rolls nothing does without

    parts = urlsplit(target.url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection = http.client.HTTPConnection(parts.hostname or target.address, timeout=TIMEOUT)
    try:
        connection.sock = dial(target.address, target.port, TIMEOUT)
        connection.sock.settimeout(TIMEOUT)
        if parts.scheme == "https":
            connection.sock = _tls().wrap_socket(connection.sock, server_hostname=parts.hostname)
        body = b"x=1" if target.method == "POST" else None
        connection.request(target.method, path, body=body, headers={"Host": parts.netloc, "Connection": "close"})
        response = connection.getresponse()
        response.read()
    except (OSError, http.client.HTTPException) as error:
        return f"{type(error).__name__}: {error}".rstrip(": ")
    finally:
        connection.close()
    return "" if response.status == target.expect else f"status {response.status}, expected {target.expect}"


@cache
def _tls() -> ssl.SSLContext:
    """TLS with anybody: whether clients trust the certificate is `verify`'s to tell, and no node can change it."""
    import ssl

    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _seen(answers: Sequence[Answer]) -> tuple[Seen, ...]:
    """How often each application was asked, and failed."""
    names = dict.fromkeys(a.target.application for a in answers if a.target.application)
    return tuple(
        Seen(name, len(mine), sum(1 for a in mine if a.fault))
        for name in names
        if (mine := [a for a in answers if a.target.application == name])
    )


def _gap(answers: Sequence[Answer], seconds: float) -> float:
    """The longest time without a success; the prober's own stalls count."""
    good = [0.0, *sorted(a.began + a.seconds for a in answers if not a.fault), seconds]
    return max(later - earlier for earlier, later in itertools.pairwise(good))
