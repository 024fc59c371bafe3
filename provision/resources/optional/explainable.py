"""Evidence: what makes a change readable in the plan, asked only once it is known that something differs."""

from __future__ import annotations

import difflib
from abc import abstractmethod
from dataclasses import dataclass

from provision.facts.question import Answers, Question
from provision.resources.base import Change, Resource


@dataclass(frozen=True, kw_only=True)
class Explainable(Resource):
    """A resource that shows its change as a diff."""

    @abstractmethod
    def evidence(self, change: Change) -> tuple[Question, ...]:
        """What else to ask for the diff."""

    @abstractmethod
    def explain(self, change: Change, answers: Answers) -> Change:
        """The change with its diff. answers: those to `questions` and to `evidence`."""


def evidence_for(resource: Resource, change: Change) -> tuple[Question, ...]:
    """What else to ask for the diff of any resource."""
    return resource.evidence(change) if isinstance(resource, Explainable) else ()


def explain(resource: Resource, change: Change, answers: Answers) -> Change:
    """The change of any resource, with its diff if it has one."""
    return resource.explain(change, answers) if isinstance(resource, Explainable) else change


def unified(before: str, after: str, name: str) -> str:
    """A unified diff with three lines of context, without dates in its two header lines."""
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), f"{name} (on the host)", f"{name} (declared)", lineterm=""
    )
    return "\n".join(lines)
