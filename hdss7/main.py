"""The command `hdss7`: what `invoke` does in a clone, in any folder with a site.yml, or with --project."""

from __future__ import annotations

from hdss7.startup import tune_startup

tune_startup()

from importlib.metadata import version

from invoke.program import Program

from hdss7.argv import install_strict_parser
from hdss7.commands import collection


def main() -> None:
    """Run the command line. Exits with the codes of docs/command-line.md."""
    install_strict_parser(Program)
    Program(name="hdss7", binary="hdss7", namespace=collection(), version=version("hdss7")).run()


if __name__ == "__main__":
    main()
