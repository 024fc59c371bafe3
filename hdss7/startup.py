"""What a command that is over within a second does without."""

from __future__ import annotations

import atexit
import gc
import os
import sys

YOUNG = 100_000  # objects made before Python looks for garbage; by default it looks after every 700


def tune_startup() -> None:
    """To be called before anything else is imported.

    Invoke (2.2.1) has every run compile all modules anew, unless it is told --write-pyc; here they are kept, as Python
    itself does it.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started this (`>&-`)
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 - to the end of the process
    sys.dont_write_bytecode = bool(sys.flags.dont_write_bytecode)
    gc.set_threshold(YOUNG, 50, 50)
    atexit.register(gc.freeze)  # or Python would look through all that is left, just before it is all gone
