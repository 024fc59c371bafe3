"""`~` and `~user` in the paths that people write."""

from __future__ import annotations

import os.path
from pathlib import Path


def expanded(name: str | Path) -> Path:
    """The path with a home folder for `~`; the name of a user that there is not stays as it is written."""
    return Path(os.path.expanduser(name))
