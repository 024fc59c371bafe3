"""Commands that are not waited for: their steps are read from the log that they write, and how they ended."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from hdss7.report import log
from provision.apply.events import Drained, PutBack

SECONDS = 400
PAUSE = 0.02
STEP = re.compile(r"^ *(\d+\.\d{3}) (.*)$", re.M)
NAMED, NAME_LENGTH = "%Y-%m-%dT%H-%M-%S.%f", 26  # how a log's name begins: when its clock did


def drained(host: str) -> str:
    """The pattern of the step by which a node is taken out."""
    return rf"^{Drained.__name__}\(host='({host})'"


def put_back(host: str) -> str:
    """The pattern of the step by which a node takes requests again."""
    return rf"^{PutBack.__name__}\(host='({host})'"


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    output: str
    errors: str

    @property
    def document(self) -> Mapping[str, Any]:
        """What --json printed."""
        found: Mapping[str, Any] = json.loads(self.output)
        return found

    @property
    def changes(self) -> set[tuple[str, str]]:
        """(host, resource) of everything that changed or would."""
        hosts = self.document["hosts"]
        return {(name, change["resource"]) for name, host in hosts.items() for change in host["changes"]}

    def __str__(self) -> str:
        """For a test that fails."""
        return f"exit {self.code}\n{self.output[-4000:]}\n{self.errors[-4000:]}"


@dataclass(frozen=True)
class Step:
    """One line of a run's log: the engine's own event, in words. at: when it was written, by time.monotonic()."""

    at: float
    text: str


class Running:
    """A command that goes on while the test does something else."""

    def __init__(self, argv: list[str], folder: Path) -> None:
        self.process = subprocess.Popen(
            argv, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )

    @property
    def steps(self) -> list[Step]:
        """What its log holds so far."""
        written = next(iter(log.folder().glob(f"*-{self.process.pid}.log")), None)
        if not written:
            return []
        age = datetime.now() - datetime.strptime(written.name[:NAME_LENGTH], NAMED)
        began = time.monotonic() - age.total_seconds()
        return [Step(began + float(after), text) for after, text in STEP.findall(written.read_text())]

    def until(self, pattern: str, seconds: float = 120) -> str:
        """Waits for a step that matches. The test fails when the command ends without."""
        deadline = time.monotonic() + seconds
        while True:
            ended = self.process.poll() is not None
            steps = [step.text for step in self.steps]
            found = next((step for step in steps if re.search(pattern, step)), None)
            if found:
                return found
            assert not ended, f"no step {pattern!r}: {self.end()}"
            assert time.monotonic() < deadline, f"no step {pattern!r} within {seconds} s: {steps[-5:]}"
            time.sleep(PAUSE)

    def end(self) -> Ended:
        """Waits for its end."""
        output, errors = self.process.communicate(timeout=SECONDS)
        return Ended(self.process.returncode, output, errors)
