"""Which version of an inventory a run deploys, as git names it."""

from __future__ import annotations

import subprocess
from pathlib import Path


def commit_of(directory: Path) -> str:
    """The commit that a folder is at: `1a2b3c4`, `1a2b3c4 and changes of its own`, or '' where git knows nothing."""

    def git(*words: str) -> str:
        argv = ["git", "-C", str(directory), *words]
        return subprocess.run(argv, capture_output=True, text=True, timeout=20, check=True).stdout.strip()

    try:
        commit = git("log", "-1", "--format=%h")
        return f"{commit} and changes of its own" if git("status", "--porcelain", "--", ".") else commit
    except (OSError, subprocess.SubprocessError):
        return ""
