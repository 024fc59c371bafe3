"""Asks one host everything at once: one script over its session, every answer."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from provision.errors import FailedError
from provision.facts.question import Asked, Question, ask
from provision.remote.connection import Session
from provision.remote.protocol import Step, StepResult

PROBE_TIMEOUT = 180.0  # seconds; an emulated processor, or a busy one, takes its time. Dead hosts are found sooner


@dataclass(frozen=True)
class Probe:
    """Questions as one step, and how its result is read."""

    asked: Asked

    @staticmethod
    def of(asked: Iterable[Question]) -> Probe:
        """The probe of these questions."""
        return Probe(ask(asked, f"mark-{secrets.token_hex(8)}"))

    @property
    def step(self) -> Step:
        """What the host runs."""
        return Step(self.asked.script, timeout=PROBE_TIMEOUT, asks=True)

    def read(self, result: StepResult) -> dict[Question, Any]:
        """Every answer. Raises FailedError when the host's answer makes no sense."""
        try:
            return self.asked.answers(result.output)
        except ValueError as error:
            raise FailedError(
                "could not read the host's state",
                found=f"{error}; {'it took too long' if result.timed_out else result.errors or 'no message'}",
                do="Run again with --verbose; log in and look whether its disk and memory are in order",
            ) from None


def answer(session: Session, asked: Iterable[Question]) -> dict[Question, Any]:
    """One script, every answer. Raises FailedError when the host's answer makes no sense."""
    probe = Probe.of(asked)
    return probe.read(session.run(probe.step)) if probe.asked.groups else {}
