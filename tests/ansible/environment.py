"""The environment of ansible-core, made once from its lock, and Ansible as a process in it that answers questions."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from provision.folders import cache_folder

HERE = Path(__file__).resolve().parent
LOCK = HERE / "requirements.lock"


def python() -> Path:
    """The interpreter of the environment, which is made when it is not there; another lock is another environment."""
    folder = cache_folder("ansible", hashlib.sha256(LOCK.read_bytes()).hexdigest()[:16])
    folder.parent.mkdir(parents=True, exist_ok=True)
    ready = folder / "ready"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists():
            shutil.rmtree(folder, ignore_errors=True)
            subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
            pip = [str(folder / "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            subprocess.run([*pip, "--require-hashes", "--requirement", str(LOCK)], check=True)
            ready.touch()
    return folder / "bin/python"


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
