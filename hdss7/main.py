"""The command `hdss7`: what `invoke` does in a clone, in any folder with a site.yml, or with --project."""

from __future__ import annotations

from hdss7.startup import lighter_invoke, tune_startup

tune_startup()
with lighter_invoke():
    from invoke.program import Program

import sys

from hdss7.argv import install_strict_parser
from hdss7.commands import collection

VERSION = frozenset({"-V", "--version"})


def main() -> None:
    """Run the command line. Exits with the codes of docs/command-line.md."""
    install_strict_parser(Program)
    version = _version() if VERSION & {*sys.argv} else None
    Program(name="hdss7", binary="hdss7", namespace=collection(), version=version).run()


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("hdss7")
    except PackageNotFoundError:
        return "of a clone"


if __name__ == "__main__":
    main()
