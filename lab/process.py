"""Which process is meant, for longer than its number is valid: pid, start time and the boot it belongs to."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Iterable
from pathlib import Path

import msgspec

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
STATE, START_TIME = 0, 19  # fields of /proc/PID/stat, counted after the command's closing parenthesis: proc(5)


class Process(msgspec.Struct, frozen=True):
    """A process of this machine as written into a record; another one with the same pid is never taken for it.

    started: clock ticks since boot. boot: the kernel's random id of that boot.
    """

    pid: int
    started: int
    boot: str

    @classmethod
    def of(cls, pid: int) -> Process:
        """The process that has this pid now. Raises ProcessLookupError when there is none."""
        fields = _stat(pid)
        if fields is None:
            raise ProcessLookupError(pid)
        return cls(pid, int(fields[START_TIME]), _boot())

    def alive(self) -> bool:
        """It still runs: a zombie does not."""
        fields = _stat(self.pid)
        return (
            fields is not None
            and int(fields[START_TIME]) == self.started
            and fields[STATE] not in "ZX"
            and _boot() == self.boot
        )

    def kill(self, seconds: float, sign: signal.Signals = signal.SIGKILL) -> bool:
        """Signal it and wait for its end; True when it has ended (also when it had before)."""
        try:
            handle = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return True
        try:
            if not self.alive():  # asked after the handle was taken, so the handle is of no other process
                return True
            signal.pidfd_send_signal(handle, sign)
            return bool(select.select([handle], [], [], seconds)[0])
        except ProcessLookupError:
            return True
        finally:
            os.close(handle)


def children(pid: int) -> list[int]:
    """The pids of a process's children; empty when it has gone."""
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def kill_all(pids: Iterable[int], seconds: float) -> None:
    """SIGKILL each of the processes and wait for its end, `seconds` at most for each."""
    for pid in pids:
        try:
            process = Process.of(pid)
        except ProcessLookupError:
            continue
        process.kill(seconds)


def _stat(pid: int) -> list[str] | None:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    except OSError:
        return None


def _boot() -> str:
    return BOOT_ID.read_text().strip()
