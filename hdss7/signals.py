"""Ctrl-C during a run: the first stops it at a safe point, the second cuts."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from provision.errors import Exit

STOPPING = b"\nStopping: what is being done on a host is finished first. Ctrl-C again cuts at once.\n"
CUT = b"\nCut. The next run finds out what was done.\n"


@contextlib.contextmanager
def interrupts() -> Iterator[threading.Event]:
    """The event that SIGINT or SIGTERM sets. A second signal ends the process, and its connections with it."""
    stop = threading.Event()

    def interrupted(_signal: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            os.write(2, CUT)
            os._exit(Exit.INTERRUPTED)
        stop.set()
        os.write(2, STOPPING)

    before = {each: signal.signal(each, interrupted) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
