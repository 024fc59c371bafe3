"""What the last whole `verify` of a site came to: kept on the controller, for the page of a trace."""

from __future__ import annotations

import contextlib
import hashlib
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from provision.atomic import replace_file
from provision.decoding import decode
from provision.folders import state_folder
from provision.verify.report import Report


class Verified(msgspec.Struct, frozen=True):
    """at: when, in ISO 8601. failed: a line for each check that failed."""

    at: str
    passed: int
    failed: tuple[str, ...] = ()


def keep(site: str, report: Report) -> None:
    """A disk that is full costs the memory, not the verification."""
    failed = tuple(f"{check.role} on {check.host}: {check.sentence}. {check.found}"[:500] for check in report.failed)
    passed = sum(1 for check in report.checks if not check.found and not check.skipped)
    with contextlib.suppress(OSError):
        path = _path(site)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        at = datetime.now(UTC).isoformat(timespec="seconds")
        replace_file(path, msgspec.json.encode(Verified(at, passed, failed)).decode())


def last(site: str) -> Verified | None:
    try:
        return decode(_path(site).read_bytes(), Verified)
    except (OSError, msgspec.MsgspecError):
        return None


def _path(site: str) -> Path:
    return state_folder("verified") / f"{hashlib.sha256(site.encode()).hexdigest()[:20]}.json"
