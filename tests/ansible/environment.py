"""Ansible as a process that answers questions, in an environment of its own that is made once from its lock."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.environments import programs

HERE = Path(__file__).resolve().parent
LOCK = HERE / "requirements.lock"


def python() -> Path:
    """The interpreter of Ansible's environment."""
    return programs("ansible", LOCK) / "python"


class Ansible:
    """Ansible in a process of its own: it takes a second to start and milliseconds for an inventory."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def load(self, sources: Sequence[Path | str], playbook_dir: Path, patterns: Sequence[str] = ()) -> dict[str, Any]:
        """What Ansible makes of the inventories: see tests/ansible/oracle.py."""
        question = {"sources": list(map(str, sources)), "playbook_dir": str(playbook_dir), "patterns": list(patterns)}
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the process of Ansible has ended"
        answer: dict[str, Any] = json.loads(line)
        return answer


@contextmanager
def started(home: Path) -> Iterator[Ansible]:
    """Ansible, running. home: a folder for what it writes."""
    with (
        (home / "oracle.log").open("w") as log,
        subprocess.Popen(
            [str(python()), str(HERE / "oracle.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={**os.environ, "ORACLE_HOME": str(home), "ORACLE_X": "envval", "PYTHONDONTWRITEBYTECODE": "1"},
        ) as process,
    ):
        yield Ansible(process)
        assert process.stdin
        process.stdin.close()
