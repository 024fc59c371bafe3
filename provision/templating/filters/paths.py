"""Filters on paths of files."""

from __future__ import annotations

import ntpath
import os.path
from collections.abc import Callable, Mapping, Sequence
from glob import glob
from typing import Any


def path_join(parts: str | Sequence[str]) -> str:
    """The parts as one path."""
    return parts if isinstance(parts, str) else os.path.join(*parts)


def fileglob(pattern: str) -> list[str]:
    """The files of this machine that `pattern` means, by name."""
    return sorted(path for path in glob(pattern) if os.path.isfile(path))


FILTERS: Mapping[str, Callable[..., Any]] = {
    "basename": os.path.basename,
    "commonpath": os.path.commonpath,
    "dirname": os.path.dirname,
    "expanduser": os.path.expanduser,
    "expandvars": os.path.expandvars,
    "fileglob": fileglob,
    "normpath": os.path.normpath,
    "path_join": path_join,
    "realpath": os.path.realpath,
    "relpath": os.path.relpath,
    "splitext": os.path.splitext,
    "win_basename": ntpath.basename,
    "win_dirname": ntpath.dirname,
    "win_splitdrive": ntpath.splitdrive,
}
