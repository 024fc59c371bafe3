"""Runs as the controller records them: `<state>/runs/RUN/`, for whoever asks while a host can't be asked."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from provision.apply.events import ChangeDone, ChangeStarted, Event, HostFailed, Reverted, RollingFinished, RunEnded
from provision.atomic import replace_file
from provision.folders import state_folder
from provision.history.journal import About
from provision.remote.lock import Holder
from provision.resources.base import Change

KEPT = 200
RECEIPT = "receipt.json"


def folder() -> Path:
    """Where runs are: `$XDG_STATE_HOME/hdss7/runs`, by default under ~/.local/state."""
    return state_folder("runs")


class RunFolder:
    """Listens to a run and writes down what it changes, on the controller. A run without changes leaves nothing.

    site: tells the run's hosts from those of other projects.
    """

    def __init__(self, holder: Holder, about: Callable[[], About], site: str, root: Path | None = None) -> None:
        self._holder = holder
        self._about = about
        self._site = site
        self._root = root or folder()
        self._lock = threading.Lock()
        self._opened = False
        self._receipts: list[dict[str, Any]] = []

    def __call__(self, event: Event) -> None:
        """Adds what an event means. A disk that is full costs the record, not the run."""
        with contextlib.suppress(OSError), self._lock:
            match event:
                case ChangeStarted(host, item) if isinstance(item.outcome, Change):
                    self._write(
                        {
                            "host": host,
                            "key": item.resource.key,
                            "role": item.declaration.role,
                            "line": item.declaration.line,
                            "action": item.outcome.action,
                            "summary": item.outcome.summary,
                            "diff": item.outcome.diff,
                        }
                    )
                case ChangeDone(host, item, seconds):
                    self._write({"host": host, "done": item.resource.key, "seconds": round(seconds, 3)})
                case Reverted(host, changes, lasting):
                    self._write({"host": host, "undone": list(changes), "lasting": list(lasting)})
                case RollingFinished(play, receipt):
                    self._receipts.append({"play": play, **receipt.as_dict()})
                    self._open()
                    replace_file(self.receipt, json.dumps({"run": self._holder.run, "plays": self._receipts}) + "\n")
                case HostFailed(host, error) if self._opened:
                    self._write({"host": host, "failed": str(error)})
                case RunEnded(seconds) if self._opened:
                    self._write({"ended": round(seconds, 3)})

    @property
    def receipt(self) -> Path:
        """What clients saw of the run's rolling plays, as JSON; there once the first of them is over."""
        return self._root / self._holder.run / RECEIPT

    def _write(self, line: dict[str, Any]) -> None:
        self._open()
        _append(self._root / self._holder.run / "changes.jsonl", line)

    def _open(self) -> None:
        path = self._root / self._holder.run
        if not self._opened:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            for old in sorted(self._root.iterdir())[:-KEPT]:
                shutil.rmtree(old, ignore_errors=True)
            about = self._about()
            _append(
                path / "run.json",
                {
                    "run": self._holder.run,
                    "site": self._site,
                    "who": self._holder.who,
                    "began": self._holder.began.isoformat(timespec="seconds"),
                    "command": about.command,
                    "commit": about.commit,
                    "undoes": about.undoes,
                },
            )
            self._opened = True


def recorded(site: str, root: Path | None = None) -> Iterator[dict[str, Any]]:
    """What was written down of this site's runs, the latest first: run, who, began, command, commit, undoes."""
    root = root or folder()
    for path in sorted(root.iterdir(), reverse=True) if root.is_dir() else ():
        try:
            run: dict[str, Any] = json.loads((path / "run.json").read_text().splitlines()[0])
        except (OSError, ValueError, IndexError):
            continue
        if run.get("site") == site:
            yield run


def receipts(run: str, root: Path | None = None) -> list[dict[str, Any]]:
    """What was written down of a run's rolling plays, each with `play` and the fields of a Receipt; [] for nothing."""
    try:
        plays: list[dict[str, Any]] = json.loads(((root or folder()) / run / RECEIPT).read_text())["plays"]
    except (OSError, ValueError, KeyError):
        return []
    return plays


def _append(path: Path, line: dict[str, Any]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "a", encoding="utf-8", errors="backslashreplace") as file:
        file.write(json.dumps(line) + "\n")
