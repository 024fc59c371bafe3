"""The snapshots of etcd on the controller: <inventory>/snapshots, for its owner only, because they hold every Secret.

A snapshot's file is named after what is in it, so that a listing of the folder says everything:
etcd-20261129T011500-r48211-9f3c01aa.db was taken then (UTC), at that revision, with that hash (etcd's own).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from provision.errors import InputError

FOLDER = "snapshots"
CHECKSUM = hashlib.sha256().digest_size
CHUNK = 1 << 20
_NAME = re.compile(r"etcd-(\d{8}T\d{6})-r(\d+)-([0-9a-f]{8})\.db")


@dataclass(frozen=True)
class Snapshot:
    """What a snapshot is: when it was taken, at which revision of the cluster, and etcd's hash of it."""

    taken: datetime
    revision: int
    hash: int

    @property
    def name(self) -> str:
        """Its file's name."""
        return f"etcd-{self.taken.astimezone(UTC):%Y%m%dT%H%M%S}-r{self.revision}-{self.hash:08x}.db"

    @staticmethod
    def of(name: str) -> Snapshot | None:
        """What a file's name says; None for one that is no snapshot's."""
        if not (found := _NAME.fullmatch(name)):
            return None
        try:
            taken = datetime.strptime(found[1], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
        except ValueError:
            return None
        return Snapshot(taken, int(found[2]), int(found[3], 16))


def surplus(names: Iterable[str], most: int, days: int, now: datetime) -> list[str]:
    """The files that a new snapshot makes superfluous: beyond the `most` youngest, or older than `days`.

    The youngest always stays. Names that are no snapshot's are left alone.
    """
    found = {name: snapshot.taken for name in names if (snapshot := Snapshot.of(name))}
    youngest, *others = sorted(found, key=lambda name: (found[name], name), reverse=True) or [""]
    kept = {youngest, *(name for name in others[: max(0, most - 1)] if now - found[name] <= timedelta(days=days))}
    return sorted(found.keys() - kept)


def check(path: Path) -> None:
    """Raises InputError for a file that is not a whole snapshot, as etcdctl wrote it.

    What etcd sends is followed by its SHA-256 (etcd's clientv3/snapshot and server, sendSnapshot): a database copied
    out of a member's folder has none, and etcd would restore it only unchecked.
    """
    try:
        size, digest = path.stat().st_size, hashlib.sha256()
        with path.open("rb") as file:
            left = size - CHECKSUM
            while left > 0 and (data := file.read(min(CHUNK, left))):
                digest.update(data)
                left -= len(data)
            whole = size > CHECKSUM and file.read() == digest.digest()
    except OSError as error:
        raise InputError(
            f"--snapshot {path} can't be read",
            found=error.strerror or str(error),
            do="Name a file that etcd.backup made, or etcdctl snapshot save",
        ) from None
    if not whole:
        raise InputError(
            f"--snapshot {path} is no whole snapshot of etcd",
            found="its end is not the SHA-256 of what comes before" if size > CHECKSUM else f"it has {size} bytes",
            do="Name a file that etcd.backup made, or etcdctl snapshot save; a member's own db file is none",
        )


def listed(folder: Path) -> Sequence[str]:
    """The snapshots in a folder, the youngest first."""
    names = (path.name for path in folder.glob("etcd-*.db"))
    return sorted((name for name in names if Snapshot.of(name)), reverse=True)
