"""Changes that share a frame: one script makes them one after the other, and stops at the first that fails.

A step of its own costs the host some twenty processes, a millisecond each, and the controller a round trip.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace

from provision.remote.protocol import Step, StepResult
from provision.remote.shell import function

MOST_STEPS = 50
MOST_SECONDS = 300.0
MOST_BYTES = 262_144  # of scripts; they lie in the host's /run while they run


@dataclass(frozen=True)
class Batch:
    """Steps as one. mark: stands in the output after each of them that ended well; '' for a step that is alone."""

    step: Step
    mark: str

    @staticmethod
    def of(steps: Sequence[Step]) -> Batch:
        """One step as it is, or several without payloads as one."""
        if len(steps) == 1:
            return Batch(steps[0], "")
        mark = f"done-{secrets.token_hex(8)}"
        scripts = (
            f"{function(f'change_{number}', step.script)}change_{number} || exit\nprintf '\\n%s\\n' {mark}\n"
            for number, step in enumerate(steps)
        )
        return Batch(Step("".join(scripts), timeout=min(MOST_SECONDS, sum(step.timeout for step in steps))), mark)

    def done(self, result: StepResult) -> int:
        """How many of the steps ended well: the next one, if any, is the one that failed."""
        return result.output.count(f"\n{self.mark}\n") if self.mark else int(result.code == 0)

    def of_failed(self, result: StepResult) -> StepResult:
        """The result without what the steps that ended well have printed."""
        return replace(result, output=result.output.rpartition(f"\n{self.mark}\n")[2]) if self.mark else result


def full(steps: Sequence[Step]) -> bool:
    """Whether a frame takes no further step."""
    return len(steps) >= MOST_STEPS or sum(len(step.script) for step in steps) >= MOST_BYTES
