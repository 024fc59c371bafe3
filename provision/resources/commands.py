"""Commands, for what no other resource covers."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from provision.errors import InputError
from provision.facts.host import ShellQuestion
from provision.facts.question import Answers, Question
from provision.remote.protocol import Step
from provision.resources.base import Action, Change, Rendering, Resource, Unknown
from provision.resources.optional.dependent import Dependent, combined_digest, stamp_question, write_stamp
from provision.resources.optional.reversible import IRREVERSIBLE, Reversible, Rollback


@dataclass(frozen=True, kw_only=True)
class Command(Dependent, Reversible):
    """A command that runs when `unless` fails, or when a resource in `on_change` changes; one of both is required.

        Command(name="load ip_vs", run="modprobe ip_vs", unless="test -d /proc/sys/net/ipv4/vs")
        Command(name="reload systemd", run="systemctl daemon-reload", on_change=(unit,))

    unless: sh that is part of the one probe of every run, so it has to be quick and must not change anything.
    timeout: seconds. waits: it changes nothing and only waits for what others changed, so a rollback leaves it out.
    """

    name: str
    run: str
    unless: str = ""
    on_change: tuple[Resource, ...] = field(default=(), repr=False)
    timeout: float = 120
    waits: bool = False
    reverts_to_declaration: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not self.unless and not self.on_change:
            raise InputError(
                f"{self.key} does not say when to run",
                do="Give unless='…' (sh that succeeds when it need not run), or on_change=(…) with resources",
            )

    @property
    def key(self) -> str:
        return f"Command {self.name}"

    @property
    def dependencies(self) -> tuple[Resource, ...]:
        return self.on_change

    def rendered(self, rendering: Rendering) -> Command:
        return replace(self, on_change=rendering.resources(self.on_change))

    @property
    def stamp(self) -> str:
        return f"command-{self.name.replace(' ', '-').replace('/', '-')}" if self.on_change else ""

    @property
    def _inputs(self) -> str:
        """What it last ran for. What only waits runs again when it asks for something else: it harms nothing."""
        asked = f" {hashlib.sha256(self.run.encode()).hexdigest()[:16]}" if self.waits else ""
        return combined_digest(self.on_change) + asked

    def questions(self) -> tuple[Question, ...]:
        condition = (ShellQuestion(self.unless),) if self.unless else ()
        stamp = (stamp_question(self.stamp),) if self.stamp else ()
        return (*condition, *stamp)

    def compare(self, answers: Answers, changed_dependencies: Sequence[str]) -> Change | Unknown | None:
        if self.unless and answers[ShellQuestion(self.unless)].code != 0:
            return Change(Action.RUN, f"run: {self.name}")
        if changed_dependencies:
            return Change(Action.RUN, f"run again: {self.name} ({', '.join(changed_dependencies)} changed)")
        if self.stamp and answers[stamp_question(self.stamp)] != self._inputs:
            return Change(Action.RUN, f"run again: {self.name} (its inputs changed)")
        return None

    @property
    def rollback_summary(self) -> str:
        if self.waits:
            return "nothing to undo"
        return "run again for what it depends on" if self.on_change else IRREVERSIBLE

    def rollback(self, action: Action, snapshot: bytes) -> Rollback:
        if self.waits:
            return Rollback()
        return Rollback((self,)) if self.on_change else Rollback(why=f"{self.key}: the effect of a command is unknown")

    def fix(self, change: Change) -> Step:
        tail = write_stamp(self.stamp, self._inputs) if self.stamp else ""
        return Step(f"set -eu\n{self.run}\n{tail}", timeout=self.timeout)
