"""Lines at the bottom of a terminal that say what each host is doing; what is printed goes above them."""

from __future__ import annotations

import os
import shutil
import threading
import time
from typing import TextIO

EVERY = 0.2  # seconds between two redraws
CLEAR_DOWN, WRAP_OFF, WRAP_ON = "\x1b[J", "\x1b[?7l", "\x1b[?7h"
BAR = 20  # characters
COLOURS = {"+": "32", "~": "33", "-": "31", "!": "1;31", "?": "36", "=": "2"}


class Progress:
    """Prints lines from any thread; on a terminal it keeps one line a busy host below them. In a pipe: lines only."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.live = stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"
        self._coloured = self.live and not os.environ.get("NO_COLOR")
        self._lock = threading.Lock()
        self._doing: dict[str, tuple[str, float, float]] = {}
        self._drawn = 0
        self._over = threading.Event()
        self._painter: threading.Thread | None = None

    def doing(self, host: str, what: str, expected: float = 0) -> None:
        """A host begins something; '' when it rests. expected: the seconds it may take, 0 when nobody knows."""
        with self._lock:
            self._doing.pop(host, None)
            if what:
                self._doing[host] = (what, time.monotonic(), expected)
            if self.live and self._painter is None and not self._over.is_set():
                self._painter = threading.Thread(target=self._paint, daemon=True)
                self._painter.start()

    def print(self, text: str = "") -> None:
        """Prints above the progress lines, coloured by the symbol that a line begins with."""
        shown = "\n".join(self._colour(line) for line in text.splitlines()) if text else ""
        with self._lock:
            self._stream.write(f"{self._erased()}{shown}\n{self._block()}")
            self._stream.flush()

    def close(self) -> None:
        """Takes the progress lines away for good."""
        self._over.set()
        with self._lock:
            self._doing.clear()
            self._stream.write(self._erased())
            self._stream.flush()

    def _paint(self) -> None:
        while not self._over.wait(EVERY):
            with self._lock:
                self._stream.write(self._erased() + self._block())
                self._stream.flush()

    def _erased(self) -> str:
        if not self._drawn:
            return ""
        up, self._drawn = f"\x1b[{self._drawn}A", 0
        return f"\r{up}{CLEAR_DOWN}"

    def _block(self) -> str:
        if not self.live or not self._doing or self._over.is_set():
            return ""
        room = max(1, shutil.get_terminal_size().lines // 2)
        now = time.monotonic()
        rows = [f"  {host:12} {_row(*doing, now)}" for host, doing in self._doing.items()]
        if len(rows) > room:
            rows = [*rows[: room - 1], f"  and {len(rows) - room + 1} more"]
        self._drawn = len(rows)
        return WRAP_OFF + "".join(f"{row}\n" for row in rows) + WRAP_ON

    def _colour(self, line: str) -> str:
        code = COLOURS.get(line[4:5] if line.startswith("    ") else line[:1]) if self._coloured else None
        return f"\x1b[{code}m{line}\x1b[0m" if code else line


def _row(what: str, since: float, expected: float, now: float) -> str:
    """`building [######--------------] 96 s of about 320 s`."""
    passed = now - since
    if not expected:
        return f"{what}  {passed:.0f} s"
    done = min(BAR, int(BAR * passed / expected))
    return f"{what} [{'#' * done}{'-' * (BAR - done)}] {passed:.0f} s of about {expected:.0f} s"
