"""Where the files of a project are: its own folder first, then folders that give what it lacks, file by file."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from provision.errors import InputError


@dataclass(frozen=True)
class SearchPath:
    """Folders with roles/, templates/ and tests/verify/. The first that has a file wins, and it also holds site.yml."""

    paths: tuple[Path, ...]

    @staticmethod
    def of(*paths: Path) -> SearchPath:
        """These folders, each once, symbolic links followed."""
        return SearchPath(tuple({path.resolve(): path for path in reversed(paths)}.values())[::-1])

    @property
    def own(self) -> Path:
        """The project's own folder."""
        return self.paths[0]

    def find(self, name: str) -> Path:
        """The file or folder of this name; where there is none, where the project's own would be."""
        return next((found for path in self.paths if _exists(found := path / name)), self.own / name)

    def subfolders(self, name: str) -> tuple[Path, ...]:
        """Every folder of this name that there is."""
        found = tuple(found for path in self.paths if _exists(found := path / name) and found.is_dir())
        for folder in found:
            if not os.access(folder, os.R_OK | os.X_OK):
                raise _unreadable(folder)
        return found

    def files(self, folder: str, pattern: str) -> tuple[Path, ...]:
        """The files of a folder that match, sorted by name, each name once."""
        found: dict[str, Path] = {}
        for each in reversed(self.subfolders(folder)):
            found.update({file.name: file for file in each.glob(pattern)})
        return tuple(found[name] for name in sorted(found))

    def relative(self, file: Path | str) -> str:
        """A file's name below the folder that holds it: 'roles/bind.py'; '' when none of them does."""
        file = Path(file)
        below = [file.relative_to(path) for path in self.paths if file.is_relative_to(path)]
        return str(min(below, key=lambda name: len(name.parts))) if below else ""  # one folder may be inside another

    def make_importable(self, package: str) -> None:
        """Lets `import PACKAGE.x` find each module in the first folder that has it.

        What was imported from other folders before is forgotten: one process works with one project.
        """
        paths = [str(found) for found in self.subfolders(package.replace(".", "/"))]
        known = sys.modules.get(package)
        if known is not None and _same(list(getattr(known, "__path__", ())), paths):
            return
        for name in [name for name in sys.modules if name == package or name.startswith(f"{package}.")]:
            del sys.modules[name]
        made = ModuleType(package)
        made.__path__ = paths
        sys.modules[package] = made
        parent, _, name = package.rpartition(".")
        if parent:
            if parent not in sys.modules:
                self.make_importable(parent)
            setattr(sys.modules[parent], name, made)


def _exists(path: Path) -> bool:
    """Whether it is there. Raises InputError where this user may not know: a packaged file must not win then."""
    try:
        path.stat()
    except PermissionError:
        raise _unreadable(path) from None
    except OSError:
        return False
    return True


def _unreadable(path: Path) -> InputError:
    return InputError(f"{path} can't be read by this user", do="Run as a user who may read the whole project")


def _same(some: list[str], others: list[str]) -> bool:
    return list(map(os.path.realpath, some)) == list(map(os.path.realpath, others))
