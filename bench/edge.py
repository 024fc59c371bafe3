"""`python -m bench.edge`: nginx and HAProxy as the edge, side by side on one lab: speed, memory, a drain, a dead node.

The edge is role edge's; two nodes behind it are web servers alone, so what is measured is the edge. wrk asks from the
ops host. The programs take turns, so whatever else the machine does hits both alike. It prints docs/edge.md's table.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from lab import commands
from tests.lab.clients import EDGE
from tests.lab.edge_site import EdgeSite, edge_site, errors

NAME, PROGRAMS = "bench-edge", ("nginx", "haproxy")
ROUNDS, SECONDS, CONNECTIONS = 3, 5, 32
SILENT = "blackhole 10.4.7.11/32"  # no answer of the node reaches the edge
Figures = dict[str, list[str]]
MILLISECONDS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


def main() -> int:
    """Brings the lab up, measures, takes it down, prints."""
    if not shutil.which("wrk"):
        print("bench.edge needs wrk: apt-get install wrk", file=sys.stderr)
        return 4
    found: Mapping[str, Figures] = {program: {} for program in PROGRAMS}
    with edge_site(NAME, PROGRAMS[0]) as site:
        for number in range(ROUNDS):
            for program in PROGRAMS:
                _switch(site, program)
                for what, figure in _round(site, program, f"{program[0]}{number}"):
                    found[program].setdefault(what, []).append(figure)
                    print(f"  {program}: {what}: {figure}", flush=True)
    print(f"\n| | {' | '.join(PROGRAMS)} |\n|---|{'---|' * len(PROGRAMS)}")
    for what in found[PROGRAMS[0]]:
        print(f"| {what} | {' | '.join(_middle(found[program][what]) for program in PROGRAMS)} |")
    return 0


def _round(site: EdgeSite, program: str, version: str) -> Iterator[tuple[str, str]]:
    """(what, figure) of one program, once each."""
    yield "memory at rest", f"{_memory(site, program):.0f} MiB"
    rate, median, slow = _wrk(site)
    yield "requests a second, connections kept", f"{rate:.0f}"
    yield "p50", f"{median:.1f} ms"
    yield "p99", f"{slow:.1f} ms"
    rate, median, slow = _wrk(site, "Connection: close")
    yield "requests a second, a connection each", f"{rate:.0f}"
    yield "p99 of these", f"{slow:.1f} ms"
    yield "memory after that", f"{_memory(site, program):.0f} MiB"
    yield from _roll(site, program, version)
    yield from _dead_node(site)


def _switch(site: EdgeSite, program: str) -> None:
    if found := errors(site.deploy(program)):
        raise SystemExit("\n".join(found))
    site.edge("n=50; until curl -s -o /dev/null -H 'Host: a.od.com' http://10.4.7.11/; do sleep 0.1; done")


def _wrk(site: EdgeSite, header: str = "X-Nothing: 1") -> tuple[float, float, float]:
    """Requests a second, and the milliseconds within which half and 99 of 100 were answered."""
    words = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "--latency", "-H", "Host: a.od.com", "-H", header]
    argv = commands.command(site.name, "hdss7-200", [*words, f"http://{EDGE}/"])
    said = subprocess.run(argv, capture_output=True, text=True, timeout=SECONDS + 30, check=True).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        raise SystemExit(said)
    parts = {name: float(n) * MILLISECONDS[unit] for name, n, unit in re.findall(r"(\d+)% +([\d.]+)(us|ms|s)", said)}
    rate = re.search(r"Requests/sec: +([\d.]+)", said)
    assert rate, said
    return float(rate[1]), parts["50"], parts["99"]


def _memory(site: EdgeSite, program: str) -> float:
    """MiB of all its processes, shared pages counted once."""
    said = site.edge(f"for p in $(pgrep -x {program}); do cat /proc/$p/smaps_rollup; done")
    return sum(map(int, re.findall(r"^Pss: +(\d+)", said, re.M))) / 1024


def _roll(site: EdgeSite, program: str, version: str) -> Iterator[tuple[str, str]]:
    """Both nodes restarted, one after the other, while clients ask."""
    processes = _processes(site, program)
    began = time.monotonic()
    with site.clients() as prober:
        found = errors(site.deploy(program, version))
        receipt = prober.receipt()
    if found:
        raise SystemExit("\n".join(found))
    yield "a roll of both nodes", f"{time.monotonic() - began:.1f} s"
    yield "its requests that failed", f"{receipt.failures} of {receipt.requests}"
    yield "its longest gap", f"{receipt.longest_gap:.0f} ms"
    yield "processes that it replaced", f"{len(processes - _processes(site, program))}"


def _processes(site: EdgeSite, program: str) -> set[str]:
    return set(site.edge(f"pgrep -x {program}").split())


@contextmanager
def _silent(site: EdgeSite, node: str) -> Iterator[None]:
    site.on(node, f"ip route add {SILENT}")
    try:
        yield
    finally:
        site.on(node, f"ip route del {SILENT}")


def _dead_node(site: EdgeSite) -> Iterator[tuple[str, str]]:
    """A node that takes no packet any more, for 15 s; then one that refuses connections."""
    for what, harm in (("a node is silent", _silent), ("a node refuses", _refusing)):
        with site.clients(rate=50, count=40) as prober:
            time.sleep(1)
            with harm(site, "hdss7-22"):
                time.sleep(15)
            receipt = prober.receipt()
            waits = [answer.seconds for answer in prober._answers]
        slow = [wait for wait in waits if wait > 0.9]
        yield f"{what}: failed", f"{receipt.failures} of {receipt.requests}"
        yield f"{what}: waited over 0.9 s", f"{len(slow)}"
        yield f"{what}: longest wait", f"{max(waits):.1f} s"
        _await_both(site)


@contextmanager
def _refusing(site: EdgeSite, node: str) -> Iterator[None]:
    site.on(node, "systemctl stop nginx")
    try:
        yield
    finally:
        site.on(node, "systemctl start nginx")


def _await_both(site: EdgeSite) -> None:
    """Both nodes answer again through the edge."""
    ask = "for i in 1 2 3 4 5 6 7 8; do curl -s -m 3 -H 'Host: a.od.com' http://10.4.7.11/; done | sort -u | wc -l"
    _until(lambda: site.edge(ask) == "2")


def _until(holds: Callable[[], bool], seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            raise SystemExit("a node did not come back")
        time.sleep(0.2)


def _middle(figures: list[str]) -> str:
    """The middle one, and the range where they differ."""
    number = re.compile(r"[\d.]+")
    values = sorted((float(number.match(figure)[0]), figure) for figure in figures)  # type: ignore[index]
    middle = values[len(values) // 2][1]
    low, high = values[0][0], values[-1][0]
    return middle if low == high else f"{middle} ({low:g} to {high:g})"


if __name__ == "__main__":
    raise SystemExit(main())
