"""The site of the tests of TLS: its settings, its clients, and its rows of docs/reliability.md."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.network import dial_in
from lab.state import Lab
from provision.traffic.probe import Prober, Target
from provision.traffic.receipt import Receipt
from tests.lab.clients import EDGE, TARGETS, await_answered, dialer
from tests.lab.faults.record import Book, Row
from tests.lab.running import Ended
from tests.lab.typed import Typed, deployed_site

NAME = "t-tls"
OWN = ("--extra-vars", "edge.tls.source=own")
BOTH = (*OWN, "--extra-vars", "edge.tls.redirect=false")
SECURE = tuple(Target(each.url.replace("http:", "https:"), EDGE, 443, method=each.method) for each in TARGETS)

ON, LEADS, ROLL = "TLS is turned on", "http begins to lead to https", "nodes roll behind TLS"
RENEWED, GIVEN = "a certificate is renewed", "given certificates take over"
CLOSED, GUESSED = "a name asks for a password", "50 wrong passwords a second"
ROWS = (ON, LEADS, ROLL, RENEWED, GIVEN, CLOSED, GUESSED)


class TlsSite(Typed):
    """The site, whose edge is nginx unless it is switched."""

    program = "nginx"

    def argv(self, *words: str) -> list[str]:
        """A command as a user types it, on this lab and for this program."""
        chosen = () if self.program == "nginx" else ("--extra-vars", f"edge.program={self.program}")
        return super().argv(*words, *chosen)

    def note(self, row: str, receipt: Receipt, after: str, asked: str) -> None:
        """Writes a row down. docs/reliability.md has rows of nginx alone."""
        assert row in ROWS
        if self.program == "nginx":
            Book.read().write(Row("tls", row, {"asked": asked, "clients": str(receipt), "after": after}))
        else:
            print(f"{self.program}: {row}: {receipt}; {after}")


@contextmanager
def tls_site() -> Iterator[TlsSite]:
    """A site of its own, deployed without TLS."""
    with deployed_site(TlsSite(NAME)) as made:
        await_answered(NAME)
        yield made


def keys() -> Path:
    """The folder of the edge's own CA."""
    return next(Lab.named(NAME).directory.rglob("ca-od.com.pem")).parent


def asking(*targets: Target) -> Prober:
    """Clients of the site. As a context manager."""
    return Prober(targets, dialer(NAME), rate=45, clients=8)


def changed(site: TlsSite, targets: tuple[Target, ...], *words: str, command: str = "deploy") -> tuple[Ended, Receipt]:
    """A command that changes the site, with clients asking."""
    with asking(*targets) as prober:
        ended = site.invoke(command, *words)
        receipt = prober.receipt()
    assert ended.code == 0, str(ended)
    return ended, receipt


def receipts(ended: Ended) -> str:
    """What the run's own prober saw."""
    return "; ".join(re.findall(r"\d+ requests in .*", ended.output))


def shown(authority: Path, name: str = "traefik.od.com") -> bytes:
    """The certificate that a client sees who trusts this CA."""
    context = ssl.create_default_context(cafile=str(authority))
    with context.wrap_socket(dial_in(Lab.named(NAME), EDGE, 443, 10.0), server_hostname=name) as secure:
        return secure.getpeercert(binary_form=True) or b""
