"""`python -m lab.artifacts`: prepare everything that a lab needs, and print what it is."""

from __future__ import annotations

import argparse
import sys
import time

from lab.artifacts.catalog import Catalog, prepare
from provision.errors import Exit, ProvisionError


def main(arguments: list[str] | None = None) -> int:
    """Prepare, then print a table: artefact, size, how long its build took, whether it was in the cache."""
    parser = argparse.ArgumentParser(prog="python -m lab.artifacts", description=__doc__)
    parser.add_argument(
        "--source", default="", help="Kubernetes' programs: build (default), release[:BASE_URL] or dir:FOLDER"
    )
    options = parser.parse_args(arguments)
    started = time.monotonic()
    try:
        catalog = prepare(lambda name, message: print(f"{name}: {message}", flush=True), options.source)
    except ProvisionError as error:
        print(error, file=sys.stderr)
        return int(error.exit)
    except KeyboardInterrupt:
        print("interrupted; what was finished is kept", file=sys.stderr)
        return int(Exit.INTERRUPTED)
    print(table(catalog))
    print(f"{catalog.directory}  ({time.monotonic() - started:.1f} s)")
    return int(Exit.OK)


def table(catalog: Catalog) -> str:
    """One line an artefact: name, MB on disk, seconds its build took, `cached` or `built`."""
    rows = [("artefact", "MB", "seconds", "")]
    for entry in catalog.entries:
        megabytes = f"{entry.size() / 1e6:.1f}"
        rows.append((entry.name, megabytes, f"{entry.seconds:.1f}", "cached" if entry.hit else "built"))
    return "\n".join(f"{name:18} {size:>8} {seconds:>8}  {how}".rstrip() for name, size, seconds, how in rows)


if __name__ == "__main__":
    sys.exit(main())
