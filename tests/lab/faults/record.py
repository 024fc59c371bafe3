"""What the fault tests saw at this commit, row by row: kept as JSON, and made into the table of docs/reliability.md."""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.suites import results_folder


@dataclass(frozen=True)
class Row:
    """One line of a table. name: the test's; cells: column -> what was seen."""

    table: str
    name: str
    cells: dict[str, str]


@dataclass
class Book:
    """The rows of the latest runs. A run of a few tests replaces their rows and keeps the others."""

    path: Path
    rows: dict[str, Row] = field(default_factory=dict)
    when: str = ""
    machine: str = ""

    @staticmethod
    def read(path: Path | None = None) -> Book:
        """What was measured so far, by default at this commit; empty when nothing was."""
        path = path or results_folder() / "faults.json"
        if not path.exists():
            return Book(path)
        held = json.loads(path.read_text())
        return Book(path, {name: Row(**row) for name, row in held["rows"].items()}, held["when"], held["machine"])

    def write(self, row: Row) -> None:
        """Adds a row to the file, at once: a run that is cut keeps what it has seen, and so does one beside it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.rows = {**Book.read(self.path).rows, row.name: row}
            self.when = f"{datetime.now(UTC):%Y-%m-%d}"
            self.machine = f"{os.cpu_count()} cores"
            rows = {name: asdict(one) for name, one in self.rows.items()}
            held = {"when": self.when, "machine": self.machine, "rows": rows}
            self.path.write_text(json.dumps(held, indent=1, ensure_ascii=False) + "\n")
