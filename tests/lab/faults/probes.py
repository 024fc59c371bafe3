"""What else is asked while nodes change: their NodePorts, and from inside a pod a ClusterIP and a name."""

from __future__ import annotations

import math
import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lab.network import inside
from provision.traffic.probe import Target, ask
from tests.lab.clients import EDGE, NODES, dialer
from tests.lab.faults.testbed import Bench
from tests.lab.running import Step, drained, put_back

EVERY = 0.2
NAME = "kubernetes.default.svc.cluster.local"
RESOLVER = "192.168.0.2"


@dataclass
class Probe:
    """Asks one thing over and over. node: whose it is: what fails while that node is out is counted apart.

    port: whether it asks that node's own port.
    """

    name: str
    node: str
    look: Callable[[], None]
    port: bool = False
    asked: int = 0
    faults: list[tuple[float, float, str]] = field(default_factory=list)  # begun, ended, what was wrong
    windows: list[tuple[float, float]] = field(default_factory=list)  # out, back

    def once(self) -> None:
        """One question. An OSError is a failure."""
        self.asked += 1
        began = time.monotonic()
        try:
            self.look()
        except OSError as error:
            self.faults.append((began, time.monotonic(), f"{type(error).__name__}: {error}"))

    @property
    def failed(self) -> list[str]:
        """What failed while its node was in: a question that met no moment of a window."""
        return [
            what
            for began, ended, what in self.faults
            if not any(began <= back and ended >= out for out, back in self.windows)
        ]

    def __str__(self) -> str:
        failed = self.failed
        rest = len(self.faults) - len(failed)
        while_out = f", {rest} more while {self.node} was out" if rest else ""
        return f"{self.name}: {len(failed)} of {self.asked} failed{while_out}"


@contextmanager
def asking(*probes: Probe) -> Iterator[None]:
    """Each of them in a thread of its own, for the block."""
    over = threading.Event()

    def go_on(probe: Probe) -> None:
        while not over.wait(EVERY):
            probe.once()

    threads = [threading.Thread(target=go_on, args=(probe,)) for probe in probes]
    with ExitStack() as stack:
        for thread in threads:
            stack.callback(thread.join)
        stack.callback(over.set)
        for thread in threads:
            thread.start()
        yield


def outs(steps: Iterable[Step], node: str) -> list[tuple[float, float]]:
    """(out, back) for each time that a node was taken out, as the run itself wrote it down."""
    found: list[tuple[float, float]] = []
    for step in steps:
        if re.match(drained(node), step.text):
            found.append((step.at, math.inf))
        elif re.match(put_back(node), step.text) and found:
            found[-1] = (found[-1][0], step.at)
    return found


def node_port(bench: Bench, node: str, port: int = 8000) -> Probe:
    """A GET of a node's own port, as an outsider asks it."""
    target, dial = Target("http://nginx.od.com/", NODES[node], port), dialer(bench.name)

    def look() -> None:
        if fault := ask(target, dial):
            raise OSError(fault)

    return Probe(f"NodePort of {node}", node, look, port=True)


def pod(bench: Bench, node: str) -> Path:
    """The network of nginx-ds's pod on a node: a namespace that this machine's own /proc shows too."""
    there = bench.on(node, "readlink /proc/$(pgrep -o -f '^nginx: master')/ns/net")
    for path in Path("/proc").glob("[0-9]*/ns/net"):
        try:
            if str(path.readlink()) == there:
                return path
        except OSError:
            continue
    raise AssertionError(f"{there} of {node} is not to be found")


def cluster_ip(network: Path, address: str) -> Callable[[], None]:
    """A GET of a Service by its ClusterIP, from inside a pod."""

    def look() -> None:
        with inside(network):
            connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        with connection:
            connection.settimeout(2)
            connection.connect((address, 80))
            connection.sendall(b"GET / HTTP/1.0\r\nHost: x\r\n\r\n")
            if b" 200 " not in connection.recv(64):
                raise OSError("not 200")

    return look


def name(network: Path) -> Callable[[], None]:
    """A name of the cluster, asked of CoreDNS by its ClusterIP, from inside a pod."""
    labels = b"".join(bytes([len(part)]) + part.encode() for part in NAME.split("."))
    question = struct.pack(">6H", 7, 0x100, 1, 0, 0, 0) + labels + struct.pack(">BHH", 0, 1, 1)

    def look() -> None:
        with inside(network):
            connection = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with connection:
            connection.settimeout(2)
            connection.connect((RESOLVER, 53))
            connection.send(question)
            if struct.unpack(">4H", connection.recv(512)[:8])[3] != 1:
                raise OSError("no address")

    return look


def in_pods(bench: Bench, nodes: tuple[str, ...]) -> tuple[Probe, ...]:
    """A ClusterIP and a name, asked from a pod on each node."""
    address = bench.kubectl("get service nginx-ds -o jsonpath={.spec.clusterIP}")
    networks = {node: pod(bench, node) for node in nodes}
    return tuple(
        probe
        for node, network in networks.items()
        for probe in (
            Probe(f"ClusterIP from a pod on {node}", node, cluster_ip(network, address)),
            Probe(f"DNS from a pod on {node}", node, name(network)),
        )
    )


def api(bench: Bench) -> Probe:
    """The API server through the edge, as every client of the cluster but the masters' own asks it."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    dial = dialer(bench.name)

    def look() -> None:
        with context.wrap_socket(dial(EDGE, 7443, 3.0)) as connection:
            connection.settimeout(3)
            connection.sendall(b"GET /readyz HTTP/1.0\r\nHost: api\r\n\r\n")
            if b" 200 " not in connection.recv(64):
                raise OSError("not ready")

    return Probe("API through the edge", "", look)
