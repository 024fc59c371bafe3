"""What a host keeps of the set in use before it changes: written by sh/snapshot.sh, read back here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from provision.remote.shell import Scripts

_SCRIPTS = Scripts(__file__)


@dataclass(frozen=True)
class Snapshot:
    """The files of a set, by name. missing: why not all of it is here; '' when it is.

    serving: the unit of another program that served instead of this one; '' when this one did.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    missing: str = ""
    serving: str = ""


def snapshot_script(directory: str, names: Iterable[str], other: str = "") -> str:
    """sh that prints the set in use. names: of the set that is about to replace it. other: a unit that may serve."""
    serving = _SCRIPTS.text("serves") + _SCRIPTS.call("snapshot_other", OTHER=other) if other else ""
    return serving + _SCRIPTS.call("snapshot", *names, DIRECTORY=directory)


def read_snapshot(snapshot: bytes) -> Snapshot:
    """The set that the script has printed, of which the host may have kept only the first bytes."""
    files: dict[str, bytes] = {}
    while snapshot:
        head, _, rest = snapshot.partition(b"\n")
        size, _, name = head.decode("utf-8", "surrogateescape").partition("\t")
        if size == "serves":
            return Snapshot(serving=name)
        if size == "-":
            return Snapshot(missing=f"{name} was closed to others, and such contents are not kept")
        if len(rest) < int(size):
            return Snapshot(missing="the set before it was bigger than what a host keeps")
        files[name], snapshot = rest[: int(size)], rest[int(size) :]
    return Snapshot(files)
