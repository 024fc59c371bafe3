"""The folder of a lab: one per name, each record in it replaced as a whole."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec

from lab.process import Process
from lab.topology import Topology
from provision.atomic import replace_file
from provision.decoding import decode
from provision.errors import FailedError, InputError
from provision.folders import state_folder
from provision.usage import usage

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,30}\Z")
T = TypeVar("T")


class Lab(msgspec.Struct, frozen=True):
    """A lab by name, and the paths of its folder. Made by `Lab.named`."""

    name: str
    directory: Path

    @classmethod
    def named(cls, name: str) -> Lab:
        """Raises InputError for a name that can't be part of a namespace's or a folder's name."""
        if not NAME.match(name):
            raise InputError(
                f"{name!r} can't be the name of a lab",
                do="Use small letters, digits and dashes, 31 at most, beginning with a letter or digit",
            )
        return cls(name, state_folder("labs", name))

    @property
    def mark(self) -> str:
        """What the lab writes on each namespace that it makes: two state folders never own the same one."""
        return "hdss7:" + hashlib.sha256(str(self.directory).encode()).hexdigest()[:16]

    @property
    def record(self) -> Path:
        """The topology that the lab was started with."""
        return self.directory / "lab.json"

    @property
    def daemon(self) -> Path:
        """The record of the daemon's process."""
        return self._running("daemon.json", "owner.json")

    @property
    def log(self) -> Path:
        """The daemon's log."""
        return self.directory / "daemon.log"

    @property
    def socket(self) -> Path:
        """Where the daemon takes requests."""
        return self._running("daemon.sock", "owner.sock")

    @property
    def served(self) -> Path:
        """A link to the folder that the ops host serves over HTTP; it may be made after the daemon started."""
        return self.directory / "www"

    @property
    def keys(self) -> Path:
        """The client's key, the hosts' keys and known_hosts."""
        return self.directory / "keys"

    @property
    def inventory(self) -> Path:
        """The facts that the lab adds to the inventory it was started from."""
        return self.directory / "inventory.yml"

    def host(self, name: str) -> Path:
        """The folder of one host: its disk and its run record."""
        return self.directory / "hosts" / name

    def topology(self) -> Topology:
        """The hosts of this lab. Raises FailedError when it was never started."""
        found = read(self.record, Topology)
        if found is None:
            raise FailedError(
                f"there is no lab {self.name}",
                found=f"{self.directory} holds none",
                do=f"Start it: {usage(f'lab.up{self.option}')} (each user has labs of their own, and they need root)",
            )
        return found

    @property
    def option(self) -> str:
        """The option that names this lab on a command line; nothing for the default lab."""
        return "" if self.name == "main" else f" --lab {self.name}"

    def daemon_process(self) -> Process | None:
        """The daemon, if it runs."""
        found = read(self.daemon, Process)
        return found if found and found.alive() else None

    @contextmanager
    def locked(self) -> Iterator[int]:
        """Only one up or down at a time. Yields the lock's descriptor: a process that inherits it holds the lock too.

        The kernel lets go when the last holder has ended, however it did.
        """
        path = self.directory.with_suffix(".lock")
        path.parent.mkdir(parents=True, exist_ok=True)
        while True:
            with path.open("a") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                if _is_still(path, file.fileno()):  # a purge removes the file while others wait for it
                    yield file.fileno()
                    return

    def _running(self, name: str, before: str) -> Path:
        """A file of the daemon's; under its `before` name while a daemon runs that was started when it had that."""
        path, old = self.directory / name, self.directory / before
        return old if old.exists() and not path.exists() else path

    def purge(self) -> None:
        """Remove the lab's files, its lock last; the caller holds it."""
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.with_suffix(".lock").unlink(missing_ok=True)


def _is_still(path: Path, descriptor: int) -> bool:
    try:
        return path.stat().st_ino == os.fstat(descriptor).st_ino
    except FileNotFoundError:
        return False


def read(path: Path, kind: type[T]) -> T | None:
    """A record, or None when it is absent or was cut short by a crash of the machine."""
    try:
        return decode(path.read_bytes(), kind, lambda wanted, text: wanted(text))
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def write(path: Path, record: object) -> None:
    """Replace a record as a whole: a reader sees the old one or the new one."""
    replace_file(path, msgspec.json.format(msgspec.json.encode(record, enc_hook=str), indent=1) + b"\n")
