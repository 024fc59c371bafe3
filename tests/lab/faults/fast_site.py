"""The same site in a hurry: a node soaks 4 s instead of 12, because the edge leaves a failed one out for 3 s only.

For faults alone, where nothing depends on the length of a soak: planned changes are rolled as site.yml says.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.lab.conftest import ROOT

SOAK = ("soak: 12s", "soak: 4s")
VARIABLES = "edge: {fail_timeout: 3s}\ntraefik: {soak_seconds: 4}\n"
SAME = ("hdss7", "provision", "kubeproxy", "urltrace", "roles", "templates", "lab", "tests", "pyproject.toml")


def project(folder: Path) -> Path:
    """A folder to type commands in: this project, but for its plays' soak and two variables of the lab's inventory."""
    for name in SAME:
        (folder / name).symlink_to(ROOT / name)
    shutil.copy(ROOT / "tasks.py", folder)  # its own folder is where a project is looked for
    plays = (ROOT / "site.yml").read_text()
    assert SOAK[0] in plays
    (folder / "site.yml").write_text(plays.replace(*SOAK))
    shutil.copytree(ROOT / "inventory" / "lab", folder / "inventory" / "lab")
    (folder / "inventory" / "lab" / "group_vars" / "all" / "hurried.yml").write_text(VARIABLES)
    return folder
