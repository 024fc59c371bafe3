"""What can be asked of a host. All questions of all resources travel in one script, grouped by kind.

A question is a frozen value, so two resources that ask the same thing ask it once, and a kind puts all its questions
into one or two commands: two hundred files cost one `find` and one `sha256sum`, not four hundred.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

Answers = Mapping["Question", Any]
STATE_DIRECTORY = "/var/lib/provision"
STAMPS = f"{STATE_DIRECTORY}/stamps"


class Question(ABC):
    """One thing to know about a host. slow: its kind waits for another program, and is asked beside the rest."""

    slow: ClassVar[bool] = False

    @classmethod
    @abstractmethod
    def script(cls, questions: Sequence[Self]) -> str:
        """POSIX sh that prints what `read` needs; runs in a subshell of its own."""

    @classmethod
    @abstractmethod
    def read(cls, questions: Sequence[Self], output: str, code: int) -> Mapping[Self, Any]:
        """The answers, out of what the script printed and its exit code."""

    def seen(self, answer: Any) -> str:
        """What of the answer a plan depends on: another text means that the host has changed since."""
        return ""


@dataclass(frozen=True)
class Asked:
    """Questions grouped for one script."""

    script: str
    groups: tuple[tuple[Question, ...], ...]
    mark: str

    def answers(self, output: str) -> dict[Question, Any]:
        """Every question's answer. Raises ValueError when the output was cut short."""
        found: dict[Question, Any] = {}
        for number, group in enumerate(self.groups):
            body, separator, output = output.partition(f"\n{self.mark} {number} ")
            if not separator:
                raise ValueError("the host's answer ended early")
            code, _, output = output.partition("\n")
            found.update(type(group[0]).read(group, body, int(code)))
        return found


def ask(questions: Iterable[Question], mark: str) -> Asked:
    """One script for all `questions`; `mark` is a word that no answer contains (a fresh random token)."""
    kinds: dict[type[Question], dict[Question, None]] = {}
    for question in questions:
        kinds.setdefault(type(question), {})[question] = None
    groups = tuple(tuple(kinds[kind]) for kind in sorted(kinds, key=lambda kind: kind.slow))
    sections = [
        f"(\n{type(group[0]).script(group)}\n)\nprintf '\\n%s %s %s\\n' {mark} {number} $?\n"
        for number, group in enumerate(groups)
    ]
    quick = sum(not group[0].slow for group in groups)
    return Asked(_beside("".join(sections[:quick]), "".join(sections[quick:])), groups, mark)


def _beside(quick: str, slow: str) -> str:
    """One script of two that run side by side; what the slow one prints comes last."""
    return f"{{\n{slow}}} | {{ {{\n{quick}}} </dev/null; cat; }}\n" if quick and slow else quick + slow
