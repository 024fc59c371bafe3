"""What was typed, as a project: its folders, its inventories, and the lab that they may live in."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hdss7.options import Options
from provision.errors import InputError
from provision.home import expanded
from provision.inventory.sources import open_source
from provision.project import Project
from provision.search_path import SearchPath
from provision.spelling import listed

PLAYS, INVENTORY = "site.yml", "inventory"
DEFAULT = "lab"  # the inventory that is meant where there are several


@dataclass(frozen=True)
class OpenProject:
    """A project, and what has to be so before a host of it is asked."""

    project: Project
    check_up: Callable[[], None]
    lab: str | None = None

    @property
    def identity(self) -> str:
        """Tells this project's hosts from those of others, in what the controller keeps of them."""
        return f"{self.project.inventory.directory.absolute()} {self.lab or ''}"


def open_project(options: Options) -> OpenProject:
    """The project with the inventories that were named, and with the facts of the lab that they live in."""
    from lab.sources import completed, dials

    vault, folders, here = options.vault(), project_folders(options), Path.cwd()
    programs = options.run_inventory_programs
    opened = [open_source(path, here, vault, programs=programs) for path in inventories(options, folders)]
    if options.lab is None:
        project = Project(folders, opened, options.extra_vars, vault, options.limit)
        if not dials(project.inventory):
            return OpenProject(project, lambda: None)
    sources = completed(opened, options.lab, options.extra_vars, vault)
    project = Project(folders, sources.opened, sources.extra_vars, vault, options.limit)
    return OpenProject(project, sources.check_up, options.lab)


def packaged() -> Path:
    """The folder with the roles, templates, checks, plays and inventories that come with this package.

    In a clone these are the folders beside it.
    """
    home = Path(__file__).resolve().parent
    data = home / "data"
    return data if data.is_dir() else home.parent


def project_folders(options: Options) -> SearchPath:
    """The folder of the project, and the package's for what it lacks. Raises InputError when there is no project.

    Modules of the project's own, such as a dialler that its inventory names, can be imported afterwards.
    """
    own = _named(options.project) if options.project else _current()
    if str(own) not in sys.path:
        sys.path.append(str(own))
    return SearchPath.of(own, packaged())


def inventories(options: Options, folders: SearchPath) -> tuple[Path, ...]:
    """The inventories that were named, sought in the current folder, then in the project, then in the package.

    What is no path there and has a comma is a list of hosts, and stays as it is. By default the project's
    inventory/lab, else its only one. Raises InputError.
    """
    if any(not name.strip() for name in options.inventory):
        raise InputError("--inventory is empty", do="Name a folder: --inventory inventory/lab")
    if not options.inventory:
        return (_default(folders.own / INVENTORY),)
    return tuple(_sought(expanded(name), folders) for name in options.inventory)


def _sought(path: Path, folders: SearchPath) -> Path:
    found = folders.find(str(path))
    if not path.exists() and found.exists():
        return found
    return path.absolute() if path.exists() or "," not in str(path) else path


def _named(name: str) -> Path:
    own = expanded(name).absolute()
    if os.path.isdir(own) and not os.access(own, os.R_OK | os.X_OK):
        raise InputError(f"--project {name} can't be read by this user", do="Run as a user who may read it")
    if os.path.isfile(own):
        raise InputError(f"--project {name} is a file", do=f"Name the folder that has {PLAYS} in it")
    if not os.path.isfile(own / PLAYS):
        raise InputError(f"--project {name}: there is no {PLAYS} in it", do=f"hdss7 init {name} makes a project there")
    return own


def _current() -> Path:
    here = Path.cwd()
    found = next((folder for folder in (here, *here.parents) if (folder / PLAYS).is_file()), None)
    if found is None:
        raise InputError(
            f"there is no {PLAYS} in this folder, nor in one above it",
            do="Change into a project, name it with --project DIR, or make one: hdss7 init DIR",
        )
    return found


def _default(folder: Path) -> Path:
    found = sorted(path for path in folder.glob("*") if not path.name.startswith("."))
    usual = folder / DEFAULT
    if not found:
        raise InputError(f"this project has no inventory: {folder} is empty or missing", do="Name one: --inventory DIR")
    if usual in found:
        return usual
    if len(found) > 1:
        raise InputError(
            "the project has several inventories, and none was named",
            found=f"There are: {listed([f'{INVENTORY}/{path.name}' for path in found], 10)}",
            do=f"Name one: --inventory {INVENTORY}/{found[0].name}",
        )
    return found[0]
