"""The README's example of an application, as somebody pastes it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SECTION = "\n## Publish an application\n"


def paste_application(folder: Path) -> Path:
    """Pastes the example, but for the project's own commands, into a copy of inventory/lab below a folder. Its path."""
    inventory = folder / "inventory" / "lab"
    shutil.copytree(ROOT / "inventory" / "lab", inventory)
    section = (ROOT / "README.md").read_text().partition(SECTION)[2].partition("\n## ")[0]
    lines = [line.removeprefix("    ") for line in section.splitlines() if line.startswith("    ")]
    script = "\n".join(line for line in lines if not line.startswith("invoke "))
    subprocess.run(["sh", "-eu", "-c", script], cwd=folder, check=True)
    return inventory
