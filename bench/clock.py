"""Timing whole processes: seconds, CPU seconds and memory, as the operating system accounts them."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UNSET = "PYTHONDONTWRITEBYTECODE"  # where it is set every run compiles all modules anew: nobody's own machine does


@dataclass(frozen=True)
class Sample:
    """One run: wall and CPU seconds (children included), the largest process's resident memory in MiB."""

    wall: float
    cpu: float
    memory: float
    output: str


def timed(argv: Sequence[str], expect: Sequence[int] = (0,)) -> Sample:
    """Runs a command to its end. Raises SystemExit, with its output, when it ends otherwise than expected."""
    began = time.monotonic()
    env = {name: value for name, value in os.environ.items() if name != UNSET}
    with subprocess.Popen(
        argv, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - began
    if process.returncode not in expect:
        raise SystemExit(f"{' '.join(argv)} ended with {process.returncode}:\n{output}")
    return Sample(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, output)


def invoke(*words: str, expect: Sequence[int] = (0,)) -> Sample:
    """Runs the project's own command line."""
    return timed([sys.executable, "-m", "invoke", *words], expect)


def in_turn(runs: int, *work: Callable[[], Sample]) -> list[list[Sample]]:
    """Each of `work` once, then again, `runs` times: whatever else the machine does hits all alike."""
    for one in work:
        one()  # warm
    rounds = [[one() for one in work] for _ in range(runs)]
    return [list(column) for column in zip(*rounds, strict=True)]


def median(samples: Sequence[Sample]) -> Sample:
    """Median of each figure."""
    return Sample(
        statistics.median(s.wall for s in samples),
        statistics.median(s.cpu for s in samples),
        statistics.median(s.memory for s in samples),
        "",
    )
