"""What was seen of each fault: kept as it is seen, so that a run can go on where another one ended."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from provision.atomic import replace_file
from urltrace.ask.question import LARGE, LIMIT, SCRIPTS
from urltrace.catalogue.fault import Fault, Pair, named
from urltrace.evidence import Evidence, load

RECORDED = Path(__file__).resolve().parents[1] / "unit" / "urltrace" / "recorded"
BUNDLES = RECORDED / "bundles"


class Seen(msgspec.Struct, frozen=True, omit_defaults=True):
    """One live run. version: of the fault. asked: of what a trace asked. live: the mark that the
    verdict had then. problem: why it could not be made, or ''. load: how many processes waited for the machine's cores.
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
    load: float = 0.0


class Quiet(msgspec.Struct, frozen=True):
    """One trace of a healthy site. when: quiet, load or roll. said: what it named all the same."""

    when: str
    seconds: float
    said: str = ""


class Book:
    """The records: in the tree, beside the bundles, so that a clone goes on where another one ended."""

    def __init__(self, folder: Path = RECORDED) -> None:
        self._seen, self._quiet = folder / "seen.jsonl", folder / "quiet.jsonl"

    def seen(self, name: str) -> Seen | None:
        return next((one for one in self._every() if one.name == name), None)

    def write(self, seen: Seen) -> None:
        """In place of what was seen before."""
        every = {one.name: one for one in (*self._every(), seen)}
        lines = msgspec.json.Encoder().encode_lines([every[name] for name in sorted(every)])
        replace_file(self._seen, lines, 0o644)

    def due(self, names: Sequence[str]) -> list[str]:
        """Those that were not seen yet as they are now."""
        seen = {one.name: one for one in self._every()}
        return [name for name in names if not (one := seen.get(name)) or one.problem or one.version != version(name)]

    def stale(self, names: Sequence[str]) -> list[str]:
        """Those that were seen, and that an earlier script has asked."""
        due, seen = self.due(names), {one.name: one for one in self._every()}
        return [name for name in names if name not in due and seen[name].asked != question()]

    def quiet(self) -> list[Quiet]:
        return msgspec.json.Decoder(Quiet).decode_lines(self._quiet.read_bytes()) if self._quiet.exists() else []

    def add(self, quiet: Quiet) -> None:
        with self._quiet.open("ab") as file:
            file.write(msgspec.json.encode(quiet) + b"\n")

    def _every(self) -> list[Seen]:
        return msgspec.json.Decoder(Seen).decode_lines(self._seen.read_bytes()) if self._seen.exists() else []


def version(name: str) -> str:
    """Changes with the fault, or with one of a pair."""
    return _digest(msgspec.json.encode([named(part) for part in name.split("+")]))


def question() -> str:
    """Changes with what a trace asks, and how long it waits."""
    script = "".join(map(SCRIPTS.text, ("master", "reverse_path", "trace")))
    return _digest(f"{script}{LIMIT} {LARGE}".encode())


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
