"""Artefacts kept under a key made from what they are built of; safe against two builders and a killed one."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from provision.atomic import replace_file
from provision.errors import FailedError
from provision.folders import cache_folder

Progress = Callable[[str, str], None]
# An artefact, what is done for it ('' when that has ended), and the expected seconds (0 when unknown).
Doing = Callable[[str, str, float], None]
RECORD = "record.json"
BLOCK = 1 << 20


def silent(name: str, message: str) -> None:
    """A Progress that shows nothing."""


def unseen(name: str, what: str, expected: float) -> None:
    """A Doing that shows nothing."""


def key_of(ingredients: Mapping[str, str]) -> str:
    """The key of an artefact: a digest of everything it is made of, by name."""
    text = json.dumps(dict(ingredients), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def sha256_of(path: Path) -> str:
    """The sha256 of a file's content, in hex; the file is streamed."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True)
class Entry:
    """One finished artefact: a folder that never changes again.

    path: the folder. sums: relative path -> sha256 of the files that hosts fetch (computed when built).
    seconds: how long the build took. hit: it was there already.
    """

    name: str
    key: str
    path: Path
    sums: Mapping[str, str]
    seconds: float
    hit: bool = field(default=True, compare=False)

    def holds(self, program: str) -> bool:
        """Whether a file of this name is among those whose sha256 is kept."""
        return any(Path(file).name == program for file in self.sums)

    def file(self, program: str) -> tuple[Path, str]:
        """The file of this name and its sha256; raises FailedError when the entry keeps none."""
        for file, sha256 in self.sums.items():
            if Path(file).name == program:
                return self.path / file, sha256
        raise FailedError(f"{self.name} holds no {program}", found=f"it lies in {self.path}")

    def size(self) -> int:
        """Bytes on disk below the folder (hard links counted once)."""
        seen: dict[int, int] = {}
        for folder, _, files in os.walk(self.path):
            for file in files:
                stat = os.lstat(os.path.join(folder, file))
                seen[stat.st_ino] = stat.st_blocks * 512
        return sum(seen.values())


class Cache:
    """Entries at `ROOT/NAME/KEY/`; beside the keys `lock`, `log` of the last build, `seconds` it took."""

    def __init__(self, root: Path | None = None, stopped: threading.Event | None = None, doing: Doing = unseen) -> None:
        """root: by default the user's cache. stopped: set by another thread, it ends the wait for a lock."""
        self.root = root or cache_folder("artifacts")
        self._doing = doing
        self._stopped = stopped or threading.Event()

    def entry(
        self,
        name: str,
        ingredients: Mapping[str, str],
        build: Callable[[Path, Path], list[str]],
        progress: Progress = silent,
        *,
        about: str = "",
    ) -> Entry:
        """The entry of these ingredients, built now if it isn't there.

        build(folder, log): fills the empty folder, writes what its programs print to log, returns the
        files (relative) whose sha256 is to be kept. A second builder of the same name waits and then
        finds the entry. about: what to say of a build's length before one was measured here.
        Raises whatever `build` raises, and FailedError when the disk is full; nothing of a failed build stays.
        """
        key = key_of(ingredients)
        folder = self.root / name
        if found := self._read(name, key):
            return found
        folder.mkdir(parents=True, exist_ok=True)
        with self._locked(name, progress):
            for remains in folder.glob("*.partial"):  # of a killed build: whoever holds the lock owns them
                shutil.rmtree(remains)
            if found := self._read(name, key):
                return found
            took = self.took(name)
            how_long = about if took is None else f"took {took:.0f} s last time"
            progress(name, f"building ({how_long})" if how_long else "building")
            self._doing(name, "building", took or 0)
            try:
                entry = self._build(name, key, ingredients, build)
            finally:
                self._doing(name, "", 0)
            replace_file(self.root / name / "seconds", f"{entry.seconds:.0f}")
            progress(name, f"built in {entry.seconds:.0f} s")
            return entry

    def took(self, name: str) -> float | None:
        """The seconds that the last build of an artefact took here; None when there was none."""
        try:
            return float((self.root / name / "seconds").read_text())
        except (FileNotFoundError, ValueError):
            return None

    def longest(self) -> tuple[str, float]:
        """(name, seconds) of the longest of the last builds: they run side by side, so all of them took about that."""
        took = {path.parent.name: self.took(path.parent.name) or 0.0 for path in self.root.glob("*/seconds")}
        return max(took.items(), key=lambda one: one[1], default=("nothing", 0.0))

    def _build(
        self,
        name: str,
        key: str,
        ingredients: Mapping[str, str],
        build: Callable[[Path, Path], list[str]],
    ) -> Entry:
        folder = self.root / name
        partial, log = folder / f"{key}.partial", folder / "log"
        started = time.monotonic()
        log.write_text("")
        partial.mkdir(mode=0o755)
        try:
            files = build(partial, log)
            sums = {file: sha256_of(partial / file) for file in sorted(files)}
            seconds = round(time.monotonic() - started, 1)
            record = {"ingredients": dict(ingredients), "sums": sums, "seconds": seconds}
            (partial / RECORD).write_text(json.dumps(record, indent=1))
            os.sync()  # the name must not reach the disk before the content: the machine may lose power
            partial.rename(folder / key)
        except OSError as error:
            raise FailedError(f"the lab's {name} could not be built", found=str(error)) from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        return Entry(name, key, folder / key, sums, seconds, hit=False)

    def _read(self, name: str, key: str) -> Entry | None:
        path = self.root / name / key
        try:
            record = json.loads((path / RECORD).read_text())
        except FileNotFoundError:
            return None
        return Entry(name, key, path, record["sums"], record["seconds"])

    @contextmanager
    def _locked(self, name: str, progress: Progress) -> Iterator[None]:
        """Hold the artefact's lock; the kernel lets it go when the holder dies, however it dies."""
        with (self.root / name / "lock").open("a") as file:
            if not _try_lock(file):
                progress(name, "another build of it runs: waiting")
                while not _try_lock(file):
                    if self._stopped.wait(0.2):  # flock itself could not be interrupted from another thread
                        raise FailedError(f"the wait for {name} ended", found="the run was interrupted")
            yield


def _try_lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
