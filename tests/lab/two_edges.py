"""The site whose two edges share an address: its clients, what is done to it, and its rows of docs/reliability.md."""

from __future__ import annotations

import socket
import struct
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace

from lab import commands
from lab.network import SWITCH, dial_in, namespace, port
from lab.state import Lab
from provision.traffic.probe import Prober, ask
from provision.traffic.receipt import Receipt
from tests.lab.clients import EDGE, RATE, TARGETS, dialer
from tests.lab.conftest import ROOT
from tests.lab.faults.record import Book, Row
from tests.lab.faults.testbed import await_none
from tests.lab.running import Ended
from tests.lab.typed import Typed

NAME, VIP = "t-ha", "10.4.7.10"
INVENTORY = ROOT / "inventory" / "lab-ha"
EDGES = {"hdss7-11": "10.4.7.11", "hdss7-12": "10.4.7.12"}
CLIENTS = 60  # while nobody holds the address each waits for its own SYN to be repeated
AT_ADDRESS = tuple(replace(target, address=VIP) for target in TARGETS)
BY_NAME = tuple(replace(target, address=target.url.split("/")[2]) for target in TARGETS)
TABLE = "two-edges"
JOINS, ROLLED = "a second edge and an address are added", "both edges are changed"


def note(name: str, receipt: Receipt, after: str) -> None:
    """Writes a row down: what clients of the address saw, and what verify said meanwhile."""
    assert name in ROWS, name
    Book.read().write(Row(TABLE, name, {"clients": str(receipt), "after": after}))


class TwoEdges(Typed):
    """The site, and who holds its address."""

    def typed(self, *words: str) -> Ended:
        """A command with the inventory of two edges."""
        return self.invoke(*words, "--inventory", str(INVENTORY))

    def holders(self) -> list[str]:
        """The edges that have the address; one whose power is cut has none."""
        lab = Lab.named(self.name)
        found = []
        for edge in EDGES:
            argv = ["ip", "-n", namespace(lab, edge).name, "-o", "addr", "show", "to", f"{VIP}/32"]
            if subprocess.run(argv, capture_output=True, text=True, check=False).stdout:
                found.append(edge)
        return found

    def holder(self) -> str:
        """The one edge that has it."""
        (found,) = self.holders()
        return found

    def await_healthy(self) -> None:
        """Waits until one edge holds the address, the other one stands by, and everything is answered."""

        def wrong() -> str:
            states = sorted(self.on(edge, "cat /run/keepalived.state || true") for edge in EDGES)
            if states != ["BACKUP", "MASTER"] or len(self.holders()) != 1:
                return f"{states}, held by {self.holders()}"
            return "; ".join(fault for target in AT_ADDRESS * 2 if (fault := ask(target, dialer(self.name))))

        await_none(wrong, 90, "the two edges")


def asking(site: TwoEdges, clients: int = CLIENTS) -> Prober:
    """Clients of the address, a hundred requests a second."""
    return Prober(AT_ADDRESS, dialer(site.name), rate=RATE, clients=clients)


def asking_by_name(name: str) -> Prober:
    """Clients that look each name up anew for each request, as the site's bind has it then."""
    lab = Lab.named(name)

    def dial(host: str, to: int, timeout: float) -> socket.socket:
        return dial_in(lab, looked_up(lab, host), to, timeout)

    return Prober(BY_NAME, dial, rate=RATE, clients=16)


def looked_up(lab: Lab, name: str) -> str:
    """The address that bind has for a name, asked over TCP (RFC 1035). Raises OSError for none."""
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    question = struct.pack("!HHHHHH", 7, 0x100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", 1, 1)
    with dial_in(lab, EDGE, 53, 5.0) as connection:
        connection.sendall(struct.pack("!H", len(question)) + question)
        (size,) = struct.unpack("!H", connection.recv(2, socket.MSG_WAITALL))
        answer = connection.recv(size, socket.MSG_WAITALL)
    if answer[6:8] == b"\0\0":
        raise OSError(f"bind knows no {name}")
    return socket.inet_ntoa(answer[len(question) + 12 :][:4])


Injection = Callable[[TwoEdges, str, str], AbstractContextManager[None]]


@dataclass(frozen=True)
class EdgeFault:
    """What is done to the edge that holds the address, and by what verify names it.

    inject: given the site, the holder and the other edge. named: what verify prints; '' where systemd or the other edge
    has mended it by then. clients: that ask; where connections are taken and not answered, each waits.
    """

    name: str
    inject: Injection
    named: str
    clients: int = CLIENTS


def on_holder(do: str, undo: str) -> Injection:
    """A script on the holder, and another at the end."""

    @contextmanager
    def inject(site: TwoEdges, holder: str, other: str) -> Iterator[None]:
        site.on(holder, do)
        try:
            yield
        finally:
            site.on(holder, undo)

    return inject


@contextmanager
def power_cut(site: TwoEdges, holder: str, other: str) -> Iterator[None]:
    """Off without a word."""
    commands.power(site.name, holder, False)
    try:
        yield
    finally:
        commands.power(site.name, holder, True)


@contextmanager
def unplugged(site: TwoEdges, holder: str, other: str) -> Iterator[None]:
    """The holder's cable is out of the switch."""
    lab = Lab.named(site.name)
    cable = ["ip", "-n", namespace(lab, SWITCH).name, "link", "set", port(lab.topology().host(holder))]
    subprocess.run([*cable, "down"], check=True)
    try:
        yield
    finally:
        subprocess.run([*cable, "up"], check=True)


@contextmanager
def split(site: TwoEdges, holder: str, other: str) -> Iterator[None]:
    """The edges don't hear each other; everybody else hears both."""
    lab = Lab.named(site.name)
    rule = "table inet split { chain in { type filter hook input priority -300; meta l4proto 112 drop; }; }"
    nft = [["nsenter", f"--net={namespace(lab, edge)}", "nft"] for edge in EDGES]
    for enter in nft:
        subprocess.run([*enter, rule], check=True)
    try:
        await_none(lambda: "" if len(site.holders()) == 2 else "one holder", 20, "both hold the address")
        yield
    finally:
        for enter in nft:
            subprocess.run([*enter, "delete", "table", "inet", "split"], check=True)


FAULTS = (
    EdgeFault(
        "the holder's nginx is stopped",
        on_holder("systemctl stop nginx", "systemctl start nginx"),
        "this edge answers keepalived, so it may hold the address",
    ),
    EdgeFault(
        "the holder's nginx is frozen (SIGSTOP)",
        on_holder("pkill -STOP nginx", "pkill -CONT nginx"),
        "this edge answers keepalived, so it may hold the address",
        clients=700,
    ),
    EdgeFault("the holder's keepalived is killed", on_holder("pkill -KILL keepalived", "true"), ""),
    EdgeFault(
        "the holder's keepalived is stopped",
        on_holder("systemctl stop keepalived", "systemctl start keepalived"),
        "systemd says that keepalived is inactive",
    ),
    EdgeFault("the holder's cable is cut", unplugged, "could not log in"),
    EdgeFault("both edges hold the address", split, "they don't hear each other"),
    # the last: verify is patient with what has just been booted
    EdgeFault("the holder's power is cut", power_cut, "could not log in"),
)
ROWS = (JOINS, ROLLED, *(fault.name for fault in FAULTS))
