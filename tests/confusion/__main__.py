"""`make confusion`: the whole catalogue on a lab of its own, and docs/diagnosis.md of what was seen."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from tests.confusion import run
from tests.confusion.record import Book, names
from tests.confusion.site import Site
from urltrace.catalogue.fault import faults, named, pairs


def slow(name: str) -> bool:
    """Whether pods of Traefik or a host are started anew for it: such faults come last."""
    held = [named(part) for part in name.split("+")]
    return any(one.power or "traefik_anew" in one.inject + one.undo for one in held)


def main(words: Sequence[str]) -> int:
    """0 when everything was seen, whatever was said; 1 when something is left for another run."""
    parser = argparse.ArgumentParser(prog="python -m tests.confusion", description="Makes the catalogue's faults.")
    parser.add_argument("--lab", default="t-confusion", help="the lab's name")
    parser.add_argument("--minutes", type=float, default=600.0, help="end after the fault that is made then")
    parser.add_argument("--only", default="", help="faults by name, with commas between; seen ones too")
    parser.add_argument("--again", action="store_true", help="then those that an earlier script of a trace has asked")
    parser.add_argument("--healthy", action="store_true", help="begin with traces of the healthy site")
    parser.add_argument(
        "--keep",
        action="store_true",
        help="leave the lab up; else only its disks stay for another run",
    )
    parser.add_argument("--page", action="store_true", help="only write the page, of what was seen so far")
    asked = parser.parse_args(words)
    os.environ.setdefault("PYTHONFAULTHANDLER", "1")  # of the commands that are run here
    book, clock = Book(), run.Clock(asked.minutes)
    every = names(faults(), pairs())
    done = True
    if not asked.page:
        wanted = sorted(asked.only.split(",") if asked.only else book.due(every), key=slow)
        if asked.again:
            wanted += sorted(book.stale(every), key=slow)
        site = Site(asked.lab)
        try:
            site.up()
            site.await_healthy()
            run.keep_healthy(site)
            if asked.healthy:
                run.healthy(site, book, clock)
            done = run.faults(site, wanted, book, clock)
            if done and not asked.only:
                done = run.healthy(site, book, clock)
        finally:
            if not asked.keep:
                site.down(purge=done)
    from tests.confusion.page import write

    write(book)
    return 0 if done else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
