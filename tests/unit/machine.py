"""This machine's shell in place of a host: what steps and questions really do."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from provision.facts.question import STATE_DIRECTORY, Answers, Question, ask
from provision.remote.protocol import Step


class Machine:
    """Runs steps by sh; the host's state folder is a folder of the test."""

    def __init__(self, folder: Path) -> None:
        self.state = folder / "state"

    def run(self, step: Step) -> subprocess.CompletedProcess[bytes]:
        """The step, run to its end."""
        script = step.script.replace(STATE_DIRECTORY, str(self.state))
        payload = step.payload.read_bytes() if isinstance(step.payload, Path) else step.payload
        return subprocess.run(["sh", "-c", script], input=payload, capture_output=True, timeout=30, check=False)

    def answers(self, questions: Iterable[Question]) -> Answers:
        """What this machine answers."""
        asked = ask(questions, "mark")
        return asked.answers(self.run(Step(asked.script)).stdout.decode())

    def ask(self, question: Question) -> Any:
        """One answer."""
        return self.answers([question])[question]
