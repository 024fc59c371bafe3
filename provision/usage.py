"""How the user runs a command of this program: every message that names a command takes it from here."""

from __future__ import annotations

import sys
from pathlib import Path


def usage(command: str) -> str:
    """The command as the user types it: `hdss7 plan` in a process that was started as hdss7, else `invoke plan`."""
    program = "hdss7" if Path(sys.argv[0]).name == "hdss7" else "invoke"
    return f"{program} {command}"
