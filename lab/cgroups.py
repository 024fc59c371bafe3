"""A host's own part of the machine's control groups, below those of the process that starts it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

from lab.process import kill_all

MOUNTS = Path("/sys/fs/cgroup")
CPUSET_INHERITED = ("cpuset.cpus", "cpuset.mems")
PAUSE = 0.02


def unified() -> bool:
    """Whether the machine has cgroup v2 only: then systemd delegates a scope and nothing is made by hand."""
    return (MOUNTS / "cgroup.controllers").exists()


def directories(lab: str, host: str) -> list[Path]:
    """Where a host's processes will be accounted: one directory in each v1 hierarchy, and in the v2 one beside them.

    Empty on a machine with cgroup v2 only, where `scope` serves.
    """
    if unified():
        return []
    found = []
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        mount = MOUNTS / (controllers.removeprefix("name=") or "unified")
        if mount.is_dir():
            found.append(mount / path.lstrip("/") / f"hdss7.{lab}" / host)
    return found


def scope(lab: str, host: str) -> list[str]:
    """The command that starts a host where systemd owns the control groups (cgroup v2; not yet tried there)."""
    if not unified():
        return []
    unit = _scope_name(lab, host)
    return ["systemd-run", "--scope", "--quiet", "--collect", "--property=Delegate=yes", f"--unit={unit}"]


def end_scope(lab: str, host: str) -> None:
    """Kill whatever is left in a host's scope, where there are such."""
    if unified():
        stop = ["systemctl", "kill", "--signal=KILL", _scope_name(lab, host)]
        subprocess.run(stop, capture_output=True, check=False)


def make(paths: Iterable[Path]) -> None:
    """Make a host's directories; a cpuset is unusable until it has been given its parent's processors and memory."""
    for path in paths:
        for directory in (path.parent, path):
            directory.mkdir(exist_ok=True)
            for file in CPUSET_INHERITED:
                if (directory / file).exists():
                    (directory / file).write_text((directory.parent / file).read_text())


def members(paths: Iterable[Path]) -> set[int]:
    """Every process at or below these directories."""
    found: set[int] = set()
    for path in paths:
        for directory, _, _ in os.walk(path):
            with contextlib.suppress(OSError):
                found.update(map(int, Path(directory, "cgroup.procs").read_text().split()))
    return found


def remove(paths: Iterable[Path], seconds: float) -> list[Path]:
    """Kill what is still in the directories and remove them. Returns those that stayed after `seconds`.

    The kernel refuses to remove a directory for a moment after its last process has gone.
    """
    deadline = time.monotonic() + seconds
    left = list(paths)
    while left:
        kill_all(members(left), seconds=max(0.0, deadline - time.monotonic()))
        left = [path for path in left if not _removed(path)]
        if time.monotonic() > deadline:
            break
        if left:
            time.sleep(PAUSE)
    for parent in {path.parent for path in paths}:
        with contextlib.suppress(OSError):  # hosts of the same lab still have theirs in it
            parent.rmdir()
    return left


def _scope_name(lab: str, host: str) -> str:
    return f"hdss7.{lab}.{host}.scope"


def _removed(path: Path) -> bool:
    for directory, _, _ in os.walk(path, topdown=False):
        with contextlib.suppress(OSError):
            os.rmdir(directory)
    return not path.exists()
