"""A run is cut at every step it has: what is on the hosts is whole, clients don't notice, and the next run ends it."""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lab import commands
from provision.apply.events import Event
from provision.apply.run import Report
from provision.errors import Exit
from provision.traffic.probe import Prober
from tests.lab.clients import NODES, dialer, unharmed
from tests.lab.conftest import ROOT, running
from tests.lab.faults import cutpoints, mini_site
from tests.lab.faults.core import core
from tests.lab.faults.record import Book, Row
from tests.lab.typed import Typed

LAB = "t-cuts"
RATE = 50.0


@pytest.fixture(scope="module")
def site(request: pytest.FixtureRequest) -> Iterator[Typed]:
    """The small site, deployed."""
    name = request.config.getoption("--on-lab") + "-small" if request.config.getoption("--on-lab") else LAB
    with running(name):
        assert mini_site.deploy(name).exit is Exit.OK
        yield Typed(name)


def clients(site: Typed) -> Prober:
    """They ask the edge for what the nodes serve."""
    return Prober(mini_site.TARGETS, dialer(site.name), rate=RATE, clients=4)


def steps(site: Typed, cut: str, **versions: Any) -> list[str]:
    """The steps of a run that nobody cuts; those that have a midst, where that is where it is cut."""
    seen: list[str] = []

    def on(event: Event) -> None:
        if name := mini_site.step(event):
            seen.append(name)

    report = mini_site.deploy(site.name, on, **versions)
    assert report.exit is Exit.OK, errors_of(report)
    return [step for step in dict.fromkeys(seen) if cut != MIDST or "about to" in step]


def errors_of(report: Report) -> list[str]:
    """What the hosts' errors say."""
    return [str(host.error) for host in report.hosts if host.error]


def killed(site: Typed, step: str, edges: str, nodes: str, delay: float = 0) -> bool:
    """A controller that gets SIGKILL at a step. Whether it got that far."""
    argv = [
        sys.executable,
        "-X",
        "faulthandler",
        "-m",
        "tests.lab.faults.mini_site",
        site.name,
        edges,
        nodes,
        step,
        str(delay),
    ]
    ended = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode in (0, -9), ended.stderr
    return ended.returncode == -9


def line_cut(site: Typed, step: str, edges: str, nodes: str) -> bool:
    """Every host's session of this run is ended on its own side at a step. Whether it got that far."""
    cut: list[str] = []

    def sever() -> None:
        for host in mini_site.HOSTS:
            site.on(host, "kill -KILL $(pgrep -f '^sshd: root@notty') 2>/dev/null; true")
        cut.append(step)

    mini_site.deploy(site.name, mini_site.at(step, sever), edges=edges, nodes=nodes)
    return bool(cut)


ENDED = "ended it, every time"


def finished(site: Typed, edges: str, nodes: str) -> None:
    """The next run: it waits for a step that the cut run had begun, and plans after it."""
    ended = mini_site.deploy(site.name, edges=edges, nodes=nodes, wait=40)
    assert ended.exit is Exit.OK, errors_of(ended)


def version_of(site: Typed, node: str) -> tuple[str, str]:
    """(what the file says, what the program answers with)."""
    said = site.on(node, "sed -n 's/.*X-Version \\([a-z0-9]*\\);.*/\\1/p' /etc/nginx/nginx.conf")
    answer = site.on(node, "curl -s -D - -o /dev/null http://127.0.0.1:81/ | tr -d '\\r' | sed -n 's/^X-Version: //p'")
    return said, answer


MIDST = "the controller gets SIGKILL in the midst of a step"
CUTS: dict[str, Callable[[Typed, str, str, str], bool]] = {
    "the controller gets SIGKILL": killed,
    MIDST: lambda site, step, edges, nodes: killed(site, step, edges, nodes, 0.1),
    "every connection is cut": line_cut,
}
INSIDE = "a set, everything of the run on the host gets SIGKILL"
POWER = "a set, the host's power is cut"
ROWS = (*(f"{what}, {cut}" for what in ("a roll", "a set") for cut in CUTS), INSIDE, POWER)


@pytest.mark.parametrize("cut", [pytest.param(cut, marks=core("a roll, " + cut)) for cut in CUTS])
def test_a_roll_that_is_cut_at_any_step_is_ended_by_the_next_run(cut: str, site: Typed, book: Book) -> None:
    edges = the_set(site)
    versions = (f"v{number}" for number in itertools.count(10 * (1 + list(CUTS).index(cut))))
    known = steps(site, cut, edges=edges, nodes=next(versions))
    reached: list[str] = []
    with clients(site) as prober:
        for step in known:
            old, new = version_of(site, "hdss7-21")[0], next(versions)
            if CUTS[cut](site, step, edges, new):
                reached.append(step)
            for node in NODES:
                file, answer = version_of(site, node)
                assert file in (old, new), (step, node)
                assert answer in (old, new), (step, node)
            finished(site, edges, new)
            assert {version_of(site, node) for node in NODES} == {(new, new)}, step
        receipt = prober.receipt()
    book.write(
        Row(
            "cuts",
            f"a roll, {cut}",
            {
                "steps": f"{len(reached)} of {len(known)}",
                "clients": str(receipt),
                "after": "each node as before or as declared",
                "next": ENDED,
            },
        )
    )
    assert set(reached) == set(known), set(known) - set(reached)
    assert unharmed(receipt), receipt


def the_set(site: Typed) -> str:
    """The version of the edge's set, which has to be one: in its files, and in what is served."""
    edge = mini_site.EDGE_HOST
    files = {
        site.on(edge, f"sed -n 's/.*return 200 \\(.*\\); }}/\\1/p' /etc/nginx/conf.d/{n}.conf") for n in mini_site.SITES
    }
    served = {site.on(edge, f"curl -s -H 'Host: {name}.od.com' http://127.0.0.1/") for name in mini_site.SITES}
    assert len(files) == 1, files
    assert len(served) == 1, served
    site.on(edge, "nginx -t -q")
    return files.pop()


def ends(site: Typed, old: str, new: str, step: str) -> None:
    """After a cut: the old set or the new one, whole; the next run makes it the new one.

    A step that was begun goes on to its end: it is waited for, because several looks in its midst see both sets.
    """
    nodes = version_of(site, "hdss7-21")[0]
    site.on(mini_site.EDGE_HOST, "flock -w 40 /run/provision.lock true")
    assert the_set(site) in (old, new), step
    finished(site, new, nodes)
    assert the_set(site) == new, step


def armed(site: Typed, number: int) -> Callable[[Event], None]:
    """Counts the programs that the change of the set calls on the edge, and nothing before or after it."""
    what = "ConfigSet /etc/nginx"

    def listen(event: Event) -> None:
        if mini_site.step(event) == f"{mini_site.EDGE_HOST}: about to change {what}":
            cutpoints.arm(site, mini_site.EDGE_HOST, number)
        elif mini_site.step(event) == f"{mini_site.EDGE_HOST}: {what} is changed":
            cutpoints.stop(site, mini_site.EDGE_HOST)

    return listen


def test_a_set_cut_inside_its_script_is_old_or_new(site: Typed, book: Book) -> None:
    edge, nodes = mini_site.EDGE_HOST, version_of(site, "hdss7-21")[0]
    cutpoints.install(site, edge)
    number = 0
    whole: list[str] = []
    with clients(site) as prober:
        while True:
            old, new = the_set(site), f"c{number + 1}"
            report = mini_site.deploy(site.name, armed(site, number + 1), edges=new, nodes=nodes)
            reached, calls = cutpoints.disarm(site, edge)
            if not reached:
                assert report.exit is Exit.OK, errors_of(report)
                whole = calls
                break
            assert report.exit is Exit.UNREACHABLE, calls
            number += 1
            ends(site, old, new, calls[-1])
        receipt = prober.receipt()
    cutpoints.remove(site, edge)
    cells = {
        "steps": f"{number} of {len(whole)} programs that its script calls",
        "clients": str(receipt),
        "after": "the old set or the new one, whole, on disk and served",
        "next": ENDED,
    }
    book.write(Row("cuts", INSIDE, cells))
    assert number == len(whole)
    assert {call.split()[0] for call in whole} >= {"mkdir", "tar", "ln", "mv", "nginx"}, whole
    assert unharmed(receipt), receipt


def test_a_set_is_whole_after_a_power_cut_at_every_rename_and_reload(site: Typed, book: Book) -> None:
    edge, nodes = mini_site.EDGE_HOST, version_of(site, "hdss7-21")[0]
    cutpoints.install(site, edge, cutpoints.HANG)
    mini_site.deploy(site.name, armed(site, 0), edges="p0", nodes=nodes)
    _, calls = cutpoints.disarm(site, edge)
    wanted = [n for n, call in enumerate(calls, 1) if call.split()[0] in ("mv", "nginx")]
    for number in wanted:
        old, new = the_set(site), f"p{number}"
        over = threading.Event()
        cut: list[bool] = []

        def pull(over: threading.Event = over, cut: list[bool] = cut) -> None:
            if cutpoints.await_reached(site, edge, over):
                cut.append(True)
                commands.reboot(site.name, edge, hard=True, say=lambda _: None)

        puller = threading.Thread(target=pull)
        puller.start()
        report = mini_site.deploy(site.name, armed(site, number), edges=new, nodes=nodes)
        over.set()
        puller.join()
        assert cut, calls[number - 1]
        assert report.exit is Exit.UNREACHABLE
        ends(site, old, new, calls[number - 1])
    cutpoints.remove(site, edge)
    cells = {
        "steps": f"{len(wanted)} of {len(wanted)} renames and calls of nginx",
        "clients": "not asked: the only edge is off",
        "after": "the old set or the new one, whole, on disk and served",
        "next": ENDED,
    }
    book.write(Row("cuts", POWER, cells))


@pytest.mark.parametrize("cut", [pytest.param(cut, marks=core("a set, " + cut)) for cut in CUTS])
def test_a_set_cut_at_any_step_is_old_or_new(cut: str, site: Typed, book: Book) -> None:
    nodes = version_of(site, "hdss7-21")[0]
    versions = (f"s{number}" for number in itertools.count(100 * (1 + list(CUTS).index(cut))))
    known = steps(site, cut, edges=next(versions), nodes=nodes)
    reached: list[str] = []
    with clients(site) as prober:
        for step in known:
            old, new = the_set(site), next(versions)
            if CUTS[cut](site, step, new, nodes):
                reached.append(step)
            ends(site, old, new, step)
        receipt = prober.receipt()
    cells = {
        "steps": f"{len(reached)} of {len(known)}",
        "clients": str(receipt),
        "after": "the old set or the new one, whole, on disk and served",
        "next": ENDED,
    }
    book.write(Row("cuts", f"a set, {cut}", cells))
    assert set(reached) == set(known), set(known) - set(reached)
    assert unharmed(receipt), receipt
