"""Makes every fault of the catalogue on a lab, one after the other, and writes down what a trace says of it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec.structs import replace

from tests.confusion.record import Book, Quiet, Seen, bundle, keep, question, version
from tests.confusion.site import Site
from tests.lab.clients import clients
from urltrace.catalogue.fault import named
from urltrace.catalogue.mark import marked

HEALTHY = {"quiet": 25, "load": 20, "roll": 5}
ROLL = 240.0  # seconds that a rolling update may take: with fewer left, none is begun


class Clock:
    """How long a run may go on."""

    def __init__(self, minutes: float) -> None:
        self._end = time.monotonic() + minutes * 60

    @property
    def over(self) -> bool:
        return self.left <= 0

    @property
    def left(self) -> float:
        """Seconds."""
        return self._end - time.monotonic()


def one(site: Site, name: str, folder: Path) -> Seen:
    """A fault, or two at once: made, traced, undone, and the site awaited."""
    held = [named(part) for part in name.split("+")]
    saved = folder / "bundle"
    at = f"{datetime.now(UTC):%Y-%m-%d}"
    try:
        with ExitStack() as stack:
            for fault in reversed(held):
                stack.enter_context(site.broken(fault))
            found = site.traced(held[0], saved)
    except AssertionError as error:
        return Seen(name, version(name), problem=str(error)[:1000], at=at)
    if not saved.exists():
        return Seen(name, version(name), problem=f"no bundle: exit {found.code}: {found.errors[-900:]}", at=at)
    keep(name, saved)
    saved.unlink()
    asking = float(found.said.get("seconds", 0.0))
    return Seen(name, version(name), found.seconds, asking, found.code, found.sentence, at=at, asked=question())


def faults(site: Site, names: Sequence[str], book: Book, clock: Clock) -> bool:
    """Whether all of them were made. What is left is for the next run."""
    with TemporaryDirectory() as folder:
        for number, name in enumerate(names, 1):
            if clock.over:
                print(f"the time is over: {len(names) - number + 1} are left; run it again", flush=True)
                return False
            began = time.monotonic()
            load = os.getloadavg()[0]
            seen = one(site, name, Path(folder))
            said = "not made" if seen.problem else marked(name, bundle(name))[0]
            seen = replace(seen, live=said, load=round(load, 1))
            site.repaired()
            book.write(seen)
            took = time.monotonic() - began
            print(
                f"{number}/{len(names)} {name}: {said} ({seen.seconds:.1f} of {took:.0f} s) {seen.sentence}", flush=True
            )
            if seen.problem:
                print(f"   {seen.problem}", flush=True)
    return True


def keep_healthy(site: Site) -> None:
    """The bundle of the site as it should be."""
    with TemporaryDirectory() as folder:
        saved = Path(folder) / "bundle"
        if site.trace(bundle=str(saved)).quiet:
            keep("healthy", saved)


def healthy(site: Site, book: Book, clock: Clock) -> bool:
    """Traces of the site as it should be: quiet, with clients asking, and while nodes are changed one by one."""
    ways: dict[str, Callable[[int], None]] = {
        "quiet": lambda count: _traces(site, book, "quiet", count, clock),
        "load": lambda count: _under_load(site, book, count, clock),
        "roll": lambda count: _in_a_roll(site, book, count, clock),
    }
    for when, count in HEALTHY.items():
        left = count - sum(held.when == when for held in book.quiet())
        if left > 0 and clock.left > (ROLL if when == "roll" else 0):
            ways[when](left)
    return all(sum(held.when == when for held in book.quiet()) >= count for when, count in HEALTHY.items())


def _traces(
    site: Site, book: Book, when: str, count: int, clock: Clock, going: Callable[[], bool] = lambda: True
) -> None:
    for _ in range(count):
        if clock.over or not going():
            return
        found = site.trace()
        said = "" if found.quiet else f"exit {found.code}: {found.sentence} {found.said.get('findings')}"
        book.add(Quiet(when, found.seconds, said))
        print(f"healthy, {when}: {said or 'no fault'} ({found.seconds:.1f} s)", flush=True)


def _under_load(site: Site, book: Book, count: int, clock: Clock) -> None:
    with clients(site.name):
        _traces(site, book, "load", count, clock)


def _in_a_roll(site: Site, book: Book, count: int, clock: Clock) -> None:
    rolling = site.start("deploy", "--extra-vars", f"kubelet.verbosity={3 + count % 2}")
    rolling.until(r"^Drained\(", 200)
    _traces(site, book, "roll", count, clock, lambda: rolling.process.poll() is None)
    rolling.end()
    ended = site.invoke("deploy")
    assert ended.code == 0, str(ended)
    site.await_healthy()
