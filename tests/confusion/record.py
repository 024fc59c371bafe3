"""What was seen of each fault: kept as it is seen, so that a run can go on where another one ended."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterable
from pathlib import Path

import msgspec

from provision.folders import cache_folder
from urltrace.ask.question import SCRIPTS
from urltrace.catalogue.fault import Fault, Pair, named
from urltrace.evidence import Evidence, load

BUNDLES = Path(__file__).resolve().parents[1] / "unit" / "urltrace" / "recorded" / "bundles"


class Seen(msgspec.Struct, frozen=True):
    """One live run. version: of the fault. asked: of what a trace asked. live: the mark that the
    verdict had then. problem: why it could not be made, or ''.
    """

    name: str
    version: str
    seconds: float = 0.0
    asking: float = 0.0
    code: int = 0
    sentence: str = ""
    problem: str = ""
    at: str = ""
    asked: str = ""
    live: str = ""


class Quiet(msgspec.Struct, frozen=True):
    """One trace of a healthy site. when: quiet, load or roll. said: what it named all the same."""

    when: str
    seconds: float
    said: str = ""


class Book:
    """The records, in a file each."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or cache_folder("confusion")
        self.folder.mkdir(parents=True, exist_ok=True)

    def seen(self, name: str) -> Seen | None:
        path = self.folder / f"{name}.json"
        return msgspec.json.decode(path.read_bytes(), type=Seen) if path.exists() else None

    def write(self, seen: Seen) -> None:
        (self.folder / f"{seen.name}.json").write_bytes(msgspec.json.encode(seen))

    def due(self, names: Iterable[str]) -> list[str]:
        """Those that were not seen yet as they are now."""
        return [
            name for name in names if not (found := self.seen(name)) or found.problem or found.version != version(name)
        ]

    def quiet(self) -> list[Quiet]:
        path = self.folder / "quiet.jsonl"
        return msgspec.json.Decoder(Quiet).decode_lines(path.read_bytes()) if path.exists() else []

    def add(self, quiet: Quiet) -> None:
        with (self.folder / "quiet.jsonl").open("ab") as file:
            file.write(msgspec.json.encode(quiet) + b"\n")


def version(name: str) -> str:
    """Changes with the fault, or with one of a pair."""
    return _digest(msgspec.json.encode([named(part) for part in name.split("+")]))


def question() -> str:
    """Changes with what a trace asks."""
    return _digest(SCRIPTS.text("trace").encode())


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:12]


def bundle_path(name: str) -> Path:
    return BUNDLES / f"{name}.json.gz"


def keep(name: str, saved: Path) -> None:
    """A saved trace, as small as it gets and the same for the same trace."""
    BUNDLES.mkdir(parents=True, exist_ok=True)
    bundle_path(name).write_bytes(gzip.compress(saved.read_bytes(), 9, mtime=0))


def bundle(name: str) -> Evidence:
    return load(gzip.decompress(bundle_path(name).read_bytes()), name)


def names(faults: Iterable[Fault], pairs: Iterable[Pair]) -> list[str]:
    return [*(fault.name for fault in faults), *(pair.name for pair in pairs)]
