"""What a terminal shows while hosts are busy."""

from __future__ import annotations

import io

import pytest

from hdss7.report.progress import Progress


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        """It is."""
        return True


def test_on_a_terminal_each_busy_host_has_a_line_that_goes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    stream = Terminal()
    progress = Progress(stream)
    progress.doing("a", "connecting")
    progress.print("+ b  File /x  created")
    assert "connecting" in stream.getvalue()
    assert "\x1b[32m+ b  File /x  created\x1b[0m" in stream.getvalue()
    progress.close()
    assert stream.getvalue().endswith("\x1b[1A\x1b[J")


def test_work_of_known_length_has_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    progress = Progress(stream)
    progress.doing("kubernetes", "building", 600)
    progress.print("built in 3 s")
    assert "kubernetes   building [--------------------] 0 s of about 600 s" in stream.getvalue()
    progress.close()
