"""What a host was and is no more: looked for in every plan, removed only by --prune."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from provision.facts.host import ShellAnswer, ShellQuestion
from provision.facts.question import Answers, Question
from provision.remote.protocol import Step
from provision.resources.base import Action, Change, Unknown
from provision.resources.optional.prunable import Prunable
from provision.resources.validation import check_name
from provision.spelling import listed

SHOWN = 8


@dataclass(frozen=True, kw_only=True)
class Leftovers(Prunable):
    """Things on a host that nothing declares.

        Leftovers(name="routes", look="ip -4 route show root 172.7.0.0/16", remove="…")

    look: sh that prints what is left, one thing a line, and nothing when nothing is; part of the one probe of every
    run, so it has to be quick and must not change anything. remove: sh. timeout: seconds for it.
    """

    name: str
    look: str
    remove: str
    timeout: float = 120
    diff_at_once: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_name("Leftovers", "name", self.name, r"[A-Za-z0-9 _.-]+")

    @property
    def key(self) -> str:
        return f"Leftovers {self.name}"

    def questions(self) -> tuple[Question, ...]:
        return (ShellQuestion(self.look),)

    def compare(self, answers: Answers, changed_dependencies: Sequence[str]) -> Change | Unknown | None:
        answer: ShellAnswer = answers[ShellQuestion(self.look)]
        left = [line.strip() for line in answer.output.splitlines() if line.strip()]
        if not left:
            return None
        return Change(Action.REMOVE, f"remove {listed(left, SHOWN)}", diff="\n".join(f"-{line}" for line in left))

    def fix(self, change: Change) -> Step:
        return Step(f"set -u\n{self.remove}\n", timeout=self.timeout)
