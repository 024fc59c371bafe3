"""A pytest plugin that notes how each test ended in a file of JSON lines: `-p tests.outcomes --outcomes FILE`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"


def read(path: Path) -> Mapping[str, str]:
    """Test -> how it ended the last time; nothing for a file that is not there."""
    lines = path.read_text().splitlines() if path.exists() else ()
    found = (json.loads(line) for line in lines)
    return {each["test"]: each["outcome"] for each in found}


class Recorder:
    """Writes outcomes. done: tests that are left out, because they passed before."""

    def __init__(self, path: Path, done: frozenset[str]) -> None:
        self._path = path
        self._done = done

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Leaves out what passed before."""
        left_out = [item for item in items if item.nodeid in self._done]
        if left_out:
            config.hook.pytest_deselected(items=left_out)
            items[:] = [item for item in items if item.nodeid not in self._done]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One line for a test's call, and for a set-up or an end that did not pass."""
        if report.when == "call" or not report.passed:
            with self._path.open("a") as file:
                file.write(json.dumps({"test": report.nodeid, "outcome": report.outcome}) + "\n")


def pytest_addoption(parser: pytest.Parser) -> None:
    """--outcomes and --resume."""
    parser.addoption("--outcomes", type=Path, help="the file that outcomes are added to")
    parser.addoption("--resume", action="store_true", help="leave out the tests that passed according to that file")


def pytest_configure(config: pytest.Config) -> None:
    """Workers of xdist leave the writing to the process that started them."""
    path = config.getoption("--outcomes")
    if path is not None and not hasattr(config, "workerinput"):
        done = read(path) if config.getoption("--resume") else {}
        config.pluginmanager.register(Recorder(path, frozenset(test for test, how in done.items() if how == PASSED)))
