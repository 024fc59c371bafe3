"""The rows that .ci/run has time for: one of each kind, marked `core`. `make test-all` runs every row."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import pytest

CORE = frozenset(
    {
        # a host, a disk, a program, a person; before a run and in the midst of a roll
        "sshd frozen",
        "node off in a roll",
        "disk full on a node",
        "containerd killed",
        "an edit between plan and apply",
        "a Traefik that exits",
        # a roll of pods, one of programs, one of the edge itself
        "a changed Traefik argument",
        "a kubelet flag",
        "a changed edge configuration",
        # a cut controller, a cut connection
        "a roll, the controller gets SIGKILL",
        "a set, every connection is cut",
    }
)


class Named(Protocol):
    """A row of docs/reliability.md."""

    @property
    def name(self) -> str:
        """As the table has it."""
        ...


def core(name: str) -> tuple[pytest.MarkDecorator, ...]:
    """The mark of a row that is one of these."""
    return (pytest.mark.core,) if name in CORE else ()


def rows(every: Iterable[Named]) -> list[object]:
    """Rows as parameters of a test, named by their names."""
    return [pytest.param(row, id=row.name.replace(" ", "-"), marks=core(row.name)) for row in every]
