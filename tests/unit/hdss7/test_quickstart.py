"""The steps of `make deploy`: what a person sees of them, and how they end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from hdss7.quickstart import NEXT, Step, duration, quickstart

STEPS = (Step("lab.up first", "Start the lab", 720), Step("deploy", "Deploy the site", 150))


def test_steps_are_numbered_with_expected_and_measured_times(tmp_path: Path) -> None:
    said: list[str] = []
    ran: list[Sequence[str]] = []

    def run(words: Sequence[str]) -> int:
        ran.append(words)
        return 0

    assert quickstart(STEPS, run, tmp_path / "cache" / "times.json", said.append) == 0
    assert ran == [["lab.up"], ["deploy"]]
    assert [line.strip() for line in said] == [
        "[1/2] Start the lab (about 12 min 0 s)",
        "[1/2] done after 0 s, 0 s in all",
        "[2/2] Deploy the site (about 2 min 30 s)",
        "[2/2] done after 0 s, 0 s in all",
    ]
    again: list[str] = []
    quickstart(STEPS, run, tmp_path / "cache" / "times.json", again.append)
    assert again[0] == "[1/2] Start the lab (about 0 s)"


def test_the_first_step_that_fails_ends_it_with_its_exit_code(tmp_path: Path) -> None:
    said: list[str] = []
    assert quickstart(STEPS, lambda words: 3, tmp_path / "times.json", said.append) == 3
    assert said[-1] == "[1/2] FAILED after 0 s, 0 s in all: .venv/bin/invoke lab.up ended with exit code 3"
    assert len(said) == 2
    assert not (tmp_path / "times.json").exists()


@pytest.mark.parametrize("content", ["", "[]", '{"deploy": "x"}', '{"deploy": null}'])
def test_a_broken_record_of_times_is_ignored(tmp_path: Path, content: str) -> None:
    (tmp_path / "times.json").write_text(content)
    said: list[str] = []
    quickstart(STEPS[1:], lambda words: 0, tmp_path / "times.json", said.append)
    assert said[0] == "[1/1] Deploy the site (about 2 min 30 s)"


def test_the_dashboard_is_the_first_thing_to_do_next() -> None:
    first, command, *_ = NEXT.strip().splitlines()
    assert "dashboard" in first
    assert command.split("#")[0].strip() == ".venv/bin/invoke lab.open"
    assert "http://127.0.0.1:8080/dashboard/" in command


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (725, "12 min 5 s")])
def test_seconds_are_spoken_as_minutes(seconds: float, text: str) -> None:
    assert duration(seconds) == text
