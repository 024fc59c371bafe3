"""Further files on the ops host of a lab, beside everything else that it serves."""

from __future__ import annotations

from pathlib import Path

from lab.state import Lab


def beside(name: str, *files: Path) -> Lab:
    """Serves these files too, each at `/` by its own name. Returns the lab."""
    lab = Lab.named(name)
    served, offered = lab.served.resolve(), lab.directory / "www-and-more"
    entries = (*files, *(() if served == offered else served.iterdir()))
    offered.mkdir(exist_ok=True)
    for entry in entries:
        (offered / entry.name).unlink(missing_ok=True)
        (offered / entry.name).symlink_to(entry)
    if served != offered:
        new = lab.directory / "www.new"
        new.symlink_to(offered)
        new.rename(lab.served)
    return lab


def folder(name: str, folder: str, *files: Path) -> str:
    """Serves these files too, each in a folder of that name. Returns the folder's name."""
    made = Lab.named(name).directory / folder
    made.mkdir(exist_ok=True)
    for file in files:
        (made / file.name).unlink(missing_ok=True)
        (made / file.name).symlink_to(file)
    beside(name, made)
    return folder
