"""`init`: a project folder of an operator's own, with the course's site, ready for `lint`."""

from __future__ import annotations

import os
import shlex
import shutil
from pathlib import Path

from hdss7.options import Options
from hdss7.project import PLAYS, packaged
from provision.errors import Exit, InputError
from provision.home import expanded
from provision.spelling import quoted

SITE = "inventory/hdss7"
README = """# A site of hdss7

- `site.yml`: which roles run on which hosts, in which order.
- `inventory/hdss7/`: hosts, addresses and settings. Comments in the files explain the settings. Replace the zeros
  in `group_vars/all/checksums.yml` with the real SHA-256 sums; the file shows how.
- `roles/`, `templates/`, `tests/verify/`: files here replace the packaged ones of the same name.

Then, in this folder:

    hdss7 lint
    hdss7 plan
    hdss7 deploy
    hdss7 verify
"""
TASKS = """# `invoke COMMAND` in this folder does what `hdss7 COMMAND` does, where hdss7 is installed beside invoke.
try:
    from hdss7.tasks import namespace
except ModuleNotFoundError:
    raise SystemExit("hdss7 is not installed in this environment: pip install it there, or type hdss7 COMMAND")

__all__ = ["namespace"]
"""
IGNORED = "pki/\nsnapshots/\n.artifacts/\n"


def init(options: Options) -> int:
    """Make a project in the folder DIR. Raises InputError when something is there already."""
    folder = expanded(options.directory or "").absolute()
    if os.path.lexists(folder) and (not folder.is_dir() or any(folder.iterdir())):
        what = "is not empty" if folder.is_dir() else "is a file"
        raise InputError(
            f"init: {options.directory} {what}: nothing was written", do="Name a folder that does not exist yet"
        )
    try:
        _write(folder)
    except OSError as error:
        raise InputError(
            f"init: {quoted(str(error.filename or folder))} can't be written",
            found=str(error.strerror),
            do="Name a folder that may be made, where this user may write",
        ) from None
    print(f"made {options.directory}: {PLAYS}, {SITE}, roles, templates, tests/verify")
    print(f"Next: edit {SITE}, then: cd {shlex.quote(options.directory or '')} && hdss7 lint")
    return int(Exit.OK)


def _write(folder: Path) -> None:
    source = packaged()
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(source / PLAYS, folder / PLAYS)
    shutil.copytree(source / SITE, folder / SITE, ignore=shutil.ignore_patterns("pki"))
    for name in ("roles", "templates", "tests/verify"):
        (folder / name).mkdir(parents=True)
        (folder / name / ".gitkeep").touch()
    (folder / "README.md").write_text(README)
    (folder / "tasks.py").write_text(TASKS)
    (folder / ".gitignore").write_text(IGNORED)
