"""What was typed, as a project: its inventories, and the lab that they may live in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hdss7.options import Options
from provision.project import Project


@dataclass(frozen=True)
class OpenProject:
    """A project, and what has to be so before a host of it is asked."""

    project: Project
    check_up: Callable[[], None]


def open_project(root: Path, options: Options) -> OpenProject:
    """The project with the inventories that were named, and with the facts of the lab that they live in."""
    from lab.sources import completed

    vault = options.vault()
    sources = completed(options.sources(root), options.lab, options.extra_vars, vault)
    return OpenProject(Project(root, sources.opened, sources.extra_vars, vault), sources.check_up)
