"""The index of what this toolkit made on a host, kept there and read with the one probe of every run.

One line a resource: key, flag, role, run, and what was declared, separated by tabs. It shows what no role declares
any more (only what we created is removable), and what a resource was before it changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from provision.facts.question import STATE_DIRECTORY, Question

INDEX = f"{STATE_DIRECTORY}/made"
MADE, ADOPTED, GONE = "+", "~", "-"  # not there before us; there before us; not there any more


@dataclass(frozen=True)
class Managed:
    """A line of the index: what this toolkit made, or found and changed, on the host. flag: MADE or ADOPTED."""

    key: str
    flag: str
    role: str
    run: str


@dataclass(frozen=True)
class ManagedQuestion(Question):
    """The host's index, without what it takes to remove things."""

    @classmethod
    def script(cls, questions: Sequence[Self]) -> str:
        return f"cut -f 1-4 {INDEX} 2>/dev/null"

    @classmethod
    def read(cls, questions: Sequence[Self], output: str, code: int) -> Mapping[Self, tuple[Managed, ...]]:
        rows = (line.split("\t") for line in output.splitlines() if line.count("\t") == 3)
        return dict.fromkeys(questions, index(Managed(*row) for row in rows))


def index(lines: Iterable[Managed]) -> tuple[Managed, ...]:
    """The last word about each resource, in the order of their making, without what is gone."""
    last: dict[str, Managed] = {}
    for line in lines:
        last[line.key] = line
    return tuple(line for line in last.values() if line.flag != GONE)
