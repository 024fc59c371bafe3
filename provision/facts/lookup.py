"""Single values in files of a host, also in files that others name: all of them in one process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

from provision.facts.question import Question
from provision.remote.shell import Scripts

SCRIPTS = Scripts(__file__)


class After(NamedTuple):
    """Where a value stands in a line: after what matches `before`, quotes left out. Both are patterns of awk.

    Where the line ends with `before`, or a list begins, it is the next line's.
    """

    before: str
    value: str = "[^'\" ;]+"


class Found(NamedTuple):
    """A value and the file that holds it; '' where there is none."""

    value: str = ""
    file: str = ""


@dataclass(frozen=True)
class LookupQuestion(Question):
    """A value in a file. path: each value before the last is the path of the file in which the next one is looked up.

    ours: only in files whose first line says that this toolkit wrote them.
    """

    file: str
    path: tuple[After, ...]
    ours: bool = False

    @classmethod
    def script(cls, questions: Sequence[Self]) -> str:
        return SCRIPTS.call("look_up", *(word for question in questions for word in question._words))

    @property
    def _words(self) -> tuple[str, ...]:
        return (
            self.file,
            "ours" if self.ours else "",
            str(len(self.path)),
            *(word for each in self.path for word in each),
        )

    @classmethod
    def read(cls, questions: Sequence[Self], output: str, code: int) -> Mapping[Self, Found]:
        lines = (line.partition("\t") for line in output.splitlines())
        return {q: Found(value, file) for q, (value, _, file) in zip(questions, lines, strict=True)}

    def seen(self, answer: Found) -> str:
        return answer.value
