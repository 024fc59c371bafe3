"""Environments of other projects' programs: made once from a lock, in the cache, apart from this project's own."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from provision.folders import cache_folder


def programs(name: str, lock: Path) -> Path:
    """The folder of the programs of an environment, `python` among them; it is made when it is not there.

    name: its folder in the cache. lock: a requirements file with hashes; another one is another environment.
    Raises CalledProcessError when pip does not succeed; what it says is on the terminal.
    """
    folder = cache_folder(name, hashlib.sha256(lock.read_bytes()).hexdigest()[:16])
    folder.parent.mkdir(parents=True, exist_ok=True)
    ready = folder / "ready"
    with folder.with_suffix(".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not ready.exists():
            shutil.rmtree(folder, ignore_errors=True)
            subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
            pip = [str(folder / "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            subprocess.run([*pip, "--require-hashes", "--requirement", str(lock)], check=True)
            ready.touch()
    return folder / "bin"
