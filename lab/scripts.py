"""The lab's shell: the scripts of the folder `sh`, and the one command that mounts a disk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from provision.remote.shell import Scripts

SCRIPTS = Scripts(__file__)


def mounted(tree: Path, disk: Path, argv: Sequence[str], propagation: str = "private") -> list[str]:
    """The command line that runs `argv` with a disk mounted at `disk`/root, in a mount namespace of its own.

    propagation: `slave`, so that what the lab unmounts is let go there too.
    """
    return ["unshare", "--mount", "--propagation", propagation, *SCRIPTS.argv("on_disk", str(tree), str(disk), *argv)]
