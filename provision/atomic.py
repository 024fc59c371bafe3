"""Replacing a file on the controller as a whole: a reader, or a crash, meets the old content or the new one."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def replace_file(path: Path, content: bytes | str, mode: int = 0o600) -> None:
    """Write `content` beside `path` and rename it into place. Text becomes UTF-8. Raises OSError.

    mode: the file's permissions from its first byte on, whatever the umask is. The folder must exist.
    """
    data = content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    beside = Path(name)
    try:
        with open(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())  # the name must not reach the disk before the content
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def replace_link(path: Path, target: Path) -> None:
    """Have the symbolic link `path` lead to `target`: there is no moment without a link. Raises OSError."""
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
        beside = Path(folder, path.name)
        beside.symlink_to(target)
        beside.replace(path)
