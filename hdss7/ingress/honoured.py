"""Which annotations of ingress-nginx a version of Traefik reads: found in its program, kept as a table.

    python -m hdss7.ingress.honoured PROGRAM    prints the table of a program: tables/traefik-VERSION.txt

Traefik's provider declares each annotation as the tag of a field, and a Go program carries the tags that it reads.
`tests/lab/test_traefik_program.py` compares the table with the program that the lab runs.
"""

from __future__ import annotations

import mmap
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PREFIX = "nginx.ingress.kubernetes.io/"
TABLES = Path(__file__).parent / "tables"
KNOWN = "3.7.15"  # the newest version that there is a table of
LAST = "1.15.1"  # of ingress-nginx, which is retired
TAG = re.compile(rb'annotation:"' + re.escape(PREFIX.encode()) + rb'([a-z0-9-]+)"')


@dataclass(frozen=True)
class Table:
    """version: of Traefik. read: the annotations that it reads, without prefix. every: those of ingress-nginx."""

    version: str
    read: frozenset[str]
    every: frozenset[str]


def table(version: str) -> Table:
    """The table of a version of Traefik, the newest one for a version that has none."""
    known = version if (TABLES / f"traefik-{version}.txt").is_file() else KNOWN
    return Table(known, _names(f"traefik-{known}.txt"), _names(f"ingress-nginx-{LAST}.txt"))


def version_of(image: str) -> str:
    """`3.7.15` of `docker.io/library/traefik:v3.7.15`; '' when its tag names no version."""
    match = re.search(r":v?(\d+\.\d+\.\d+)(?:[-@].*)?$", image)
    return match[1] if match else ""


def _names(name: str) -> frozenset[str]:
    lines = (TABLES / name).read_text().splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def in_program(program: Path) -> Iterator[str]:
    """The annotations that a program of Traefik reads, sorted."""
    with program.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        yield from sorted({match[1].decode() for match in TAG.finditer(data)})


def main(program: Path) -> None:
    """Prints the table of a program."""
    said = subprocess.run([program, "version"], capture_output=True, text=True, check=True).stdout
    print(f"# Annotations that Traefik {said.split()[1]} reads; made by python -m hdss7.ingress.honoured PROGRAM")
    print("\n".join(in_program(program)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
