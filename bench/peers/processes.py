"""Whole processes, timed, with everything that they leave behind: a ControlMaster outlives the run that started it."""

from __future__ import annotations

import ctypes
import os
import shlex
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.clock import Sample
from lab.process import children
from provision.errors import FailedError

PR_SET_CHILD_SUBREAPER = 36  # prctl(2)
GRACE = 10.0  # seconds in which what was left behind may end by itself
PAUSE = 0.01
SHOWN = 2000  # characters of a message


def adopt() -> None:
    """From now on what descendants leave behind becomes a child of this process, which can wait for it and count it."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def timed(argv: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Sample:
    """Runs a command to its end; the clock stops there. Ends what it left behind, whose CPU seconds count as well.

    `adopt` was called before. Raises FailedError, with the command's last words, when it does not succeed.
    """
    others = set(children(os.getpid()))
    with tempfile.TemporaryFile() as output:
        began = time.monotonic()
        process = subprocess.Popen(
            argv, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        left = 0.0
        while remaining := set(children(os.getpid())) - others:  # one that ends may leave another behind
            left += sum(map(_ended, remaining))
        output.seek(0)
        said = output.read().decode(errors="replace")
    if process.returncode:
        raise FailedError(f"{shlex.join(argv)[:SHOWN]} ended with {process.returncode}", found=said[-SHOWN:].strip())
    return Sample(wall, usage.ru_utime + usage.ru_stime + left, usage.ru_maxrss / 1024, said)


def start(argv: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """A command that is not waited for."""
    return subprocess.Popen(argv, env=environment, stdin=subprocess.DEVNULL)


def _ended(pid: int) -> float:
    """The CPU seconds of an adopted process, once it has ended: an ssh that stays for the next run is asked to."""
    if _name(pid) == "ssh":
        os.kill(pid, signal.SIGTERM)
    until = time.monotonic() + GRACE
    while True:
        ended, _, usage = os.wait4(pid, os.WNOHANG)
        if ended:
            return usage.ru_utime + usage.ru_stime
        if time.monotonic() > until:
            os.kill(pid, signal.SIGKILL)
        time.sleep(PAUSE)


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""
