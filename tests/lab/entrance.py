"""The site that the tests of the edge share: ten sites more, one of them ill where it is asked to be, and its rows."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from lab.network import dial_in
from lab.state import Lab
from provision.traffic.probe import Prober, Target
from provision.traffic.receipt import Receipt
from tests.lab.application import GRPC, application, objects
from tests.lab.clients import EDGE, await_answered, dialer
from tests.lab.faults.record import Book, Row
from tests.lab.faults.streams import WebSocket
from tests.lab.running import Ended
from tests.lab.typed import KUBECTL, Typed, deployed_site

NAME, H2C_PORT, TRUSTED = "t-entrance", 8081, "hdss7-22"
ILL, *WELL = (f"app{number}" for number in range(10))
SAYS = {
    "edge": {
        "h2c_port": H2C_PORT,
        "shutdown_timeout": "60s",
        "sites": {"grpc": {"protocol": "h2c"}},
        "trusted": ["10.4.7.22"],
    }
}
TABLE = "entrance"
# what is asked of the ill application -> the row of docs/reliability.md
ILLNESSES = {
    "/header?bytes=70000": "an application answers with a header of 70 KB",
    "/empty": "an application answers nothing",
    "/reset": "an application resets in the midst of its answer",
    "/500": "an application answers 500",
    "/silence": "an application is silent for 30 s",
}
HANGS, SILENT = "a Traefik hangs (SIGSTOP)", "a node drops every packet of the edge"
SOCKETS, MANY_ROLLS = "1200 WebSockets are open", "ten rolls while WebSockets stay open"
ROWS = (*ILLNESSES.values(), SOCKETS, HANGS, SILENT, MANY_ROLLS)


class Entrance(Typed):
    """The site, deployed with these settings of its edge."""

    def __init__(self, name: str, said: Path) -> None:
        super().__init__(name)
        self.words: tuple[str, ...] = ("--extra-vars", f"@{said}")
        self.program = "nginx"

    def note(self, name: str, receipt: Receipt | str, after: str) -> None:
        """Writes a row down: what clients of the other sites saw (or why nobody asked), and what else was seen.

        docs/reliability.md has rows of nginx alone.
        """
        assert name in ROWS, name
        if self.program == "nginx":
            Book.read().write(Row(TABLE, name, {"clients": str(receipt), "after": after}))
        else:
            print(f"{self.program}: {name}: {receipt}; {after}")

    @contextmanager
    def switched(self, program: str) -> Iterator[Entrance]:
        """The same site while its edge has another program."""
        before, self.program = (self.words, self.program), program
        self.words = (*self.words, "--extra-vars", f"edge.program={program}")
        try:
            assert (ended := self.typed("deploy")).code == 0, str(ended)
            yield self
        finally:
            self.words, self.program = before
            assert (ended := self.typed("deploy")).code == 0, str(ended)

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


@contextmanager
def deployed_entrance(folder: Path) -> Iterator[Entrance]:
    """The default site with app0.od.com to app9.od.com and grpc.od.com. folder: for a file of settings."""
    said = folder / "edge.json"
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
