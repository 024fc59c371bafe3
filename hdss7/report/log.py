"""The log file of a run: every event with its time, for whoever asks afterwards what happened."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from datetime import datetime
from pathlib import Path

from provision.apply.events import (
    ChangeDone,
    ChangeStarted,
    Event,
    HostFailed,
    HostKnown,
    PlayStarted,
    RunEnded,
    RunStarted,
)
from provision.errors import Explanation, InputError
from provision.folders import state_folder
from provision.plan.plan import Item
from provision.resources.base import Change, Unknown

KEPT = 50


def folder() -> Path:
    """Where logs are: `$XDG_STATE_HOME/hdss7/logs`, by default under ~/.local/state."""
    return state_folder("logs")


class Log:
    """One run's file, for its owner's eyes; it listens to events. Lines come whole from any thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._began = time.monotonic()
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._file = os.fdopen(descriptor, "a", encoding="utf-8", errors="backslashreplace")

    @staticmethod
    def open(command: str) -> Log:
        """A new file, named by time and command; of the older ones the last KEPT stay. Raises InputError."""
        where = folder()
        try:
            return Log._new(where, command)
        except OSError as error:
            raise InputError(
                f"no log can be written: {where}",
                found=error.strerror or str(error),
                do="Make that folder writable, or name another with the environment variable XDG_STATE_HOME",
            ) from None

    @staticmethod
    def _new(where: Path, command: str) -> Log:
        where.mkdir(mode=0o700, parents=True, exist_ok=True)
        for old in sorted(where.glob("*.log"))[: -KEPT + 1]:
            with contextlib.suppress(FileNotFoundError):  # another run clears up at the same time
                old.unlink()
        stamp = datetime.now().strftime("%Y-%m-%dT%H-%M-%S.%f")
        return Log(where / f"{stamp}-{command}-{os.getpid()}.log")

    def write(self, text: str) -> None:
        """Adds text, its first line with the time since the beginning in seconds."""
        with self._lock:
            self._file.write(f"{time.monotonic() - self._began:8.3f} {text.rstrip()}\n")
            self._file.flush()

    def __call__(self, event: Event) -> None:
        """Adds an event."""
        self.write(described(event))


def described(event: Event) -> str:
    """An event in words; diffs included."""
    match event:
        case RunStarted(hosts, changing):
            return f"run of {len(hosts)} hosts{'' if changing else ', changing nothing'}: {', '.join(hosts)}"
        case HostKnown(host, plan):
            lines = [f"{host}: {len(plan.items)} declared, {len(plan.changes)} differ, {len(plan.after)} come after"]
            return "\n".join([*lines, *(_item(item) for item in plan.items if not item.as_declared)])
        case PlayStarted(name, hosts):
            return f"play {name}: {', '.join(hosts)}"
        case ChangeStarted(host, item):
            return f"{host}: begins {item.resource.key} ({item.declaration.role}, {item.declaration.line})"
        case ChangeDone(host, item, seconds):
            return f"{host}: done {item.resource.key} in {seconds:.3f} s"
        case HostFailed(_, error, _, skipped):
            return "\n".join([f"failed: {_full(error)}", *(f"    not done: {item.resource.key}" for item in skipped)])
        case RunEnded(seconds):
            return f"over after {seconds:.3f} s"
        case _:
            return str(event)


def _item(item: Item) -> str:
    where = f"    {item.resource.key} ({item.declaration.role}, {item.declaration.line})"
    if isinstance(item.outcome, Change):
        diff = "".join(f"\n        {line}" for line in item.outcome.diff.splitlines())
        return f"{where}: {item.outcome.action}: {item.outcome.summary}{diff}"
    return f"{where}: known after {item.outcome.until}" if isinstance(item.outcome, Unknown) else where


def _full(error: Explanation) -> str:
    return str(error)
