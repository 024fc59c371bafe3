"""Commands, for what no other resource says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from provision.facts.host import ShellQuestion
from provision.facts.question import Answers, Question
from provision.remote.protocol import Step
from provision.resources.base import (
    Action,
    Change,
    Following,
    Resource,
    Rollback,
    Unknown,
    activation,
    stamp_question,
    write_stamp,
)


@dataclass(frozen=True, kw_only=True)
class Command(Following):
    """A command that runs unless another says it need not.

        Command(name="load ip_vs", run="modprobe ip_vs", unless="test -d /proc/sys/net/ipv4/vs")

    `unless` is part of the one probe of every run: it has to be quick and to change nothing. `rerun`: resources whose
    change makes the command run again. timeout: seconds.
    """

    name: str
    run: str
    unless: str
    rerun: tuple[Resource, ...] = field(default=(), repr=False)
    timeout: float = 120
    as_before: ClassVar[bool] = True
    follows: ClassVar[str] = "rerun"

    @property
    def key(self) -> str:
        return f"Command {self.name}"

    @property
    def stamp(self) -> str:
        return f"command-{self.name.replace(' ', '-').replace('/', '-')}" if self.rerun else ""

    def questions(self) -> tuple[Question, ...]:
        stamp = (stamp_question(self.stamp),) if self.stamp else ()
        return (ShellQuestion(self.unless), *stamp)

    def compare(self, answers: Answers, changed_dependencies: Sequence[str]) -> Change | Unknown | None:
        if answers[ShellQuestion(self.unless)].code != 0:
            return Change(Action.RUN, f"run: {self.name}")
        if changed_dependencies:
            return Change(Action.RUN, f"run again: {self.name} ({', '.join(changed_dependencies)} changed)")
        if self.stamp and answers[stamp_question(self.stamp)] != activation(self.rerun):
            return Change(Action.RUN, f"run again: {self.name} (its inputs changed)")
        return None

    @property
    def rollback_summary(self) -> str:
        return "run again for what it follows" if self.rerun else "cannot be undone"

    def rollback(self, action: Action, snapshot: bytes) -> Rollback:
        return Rollback((self,)) if self.rerun else Rollback(why=f"{self.key}: what a command did is not known")

    def fix(self, change: Change) -> Step:
        tail = write_stamp(self.stamp, activation(self.rerun)) if self.stamp else ""
        return Step(f"set -eu\n{self.run}\n{tail}", timeout=self.timeout)
