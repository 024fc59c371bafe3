"""The files of keys that the controller keeps."""

from __future__ import annotations

from pathlib import Path

from provision.errors import InputError


def read_kept(path: Path) -> bytes | None:
    """What a file holds; None where there is none. Raises InputError for one that can't be read."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(
            f"{path} can't be read",
            found=error.strerror or str(error),
            do="Run as the user who owns the keys, or name another folder with site.pki",
        ) from None
