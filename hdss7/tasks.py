"""The commands as `invoke` wants them in a folder's tasks.py: `from hdss7.tasks import namespace`."""

from __future__ import annotations

from hdss7.startup import tune_startup

tune_startup()

from invoke.program import Program

from hdss7.argv import install_strict_parser
from hdss7.commands import collection

install_strict_parser(Program)
namespace = collection()
