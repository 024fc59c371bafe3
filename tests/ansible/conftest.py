"""Ansible, started once for all tests of this folder, and inventories written for a test and read by both."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from pathlib import Path
from textwrap import dedent

import pytest

from tests.ansible.compare import Compare
from tests.ansible.environment import started

Write = Callable[[Mapping[str, str]], Path]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the inventories of this session are written."""
    return tmp_path_factory.mktemp("inventories")


@pytest.fixture(scope="session")
def write(folder: Path) -> Write:
    """`write({"hosts.yml": "..."})` writes the files into a folder of their own: Ansible keeps what it has read."""
    numbers = count()

    def write(files: Mapping[str, str]) -> Path:
        place = folder / str(next(numbers))
        shutil.rmtree(place, ignore_errors=True)
        for name, text in files.items():
            path = place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(text))
        return place

    return write


@pytest.fixture(scope="session")
def compare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compare]:
    """Compares what Ansible and this toolkit make of inventories."""
    with started(tmp_path_factory.mktemp("oracle")) as ansible:
        yield Compare(ansible)
