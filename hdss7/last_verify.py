"""What the last whole `verify` of a site came to: kept on the controller, for the page of a trace."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from hdss7 import kept
from provision.verify.report import Report

KIND = "verified"


class Verified(msgspec.Struct, frozen=True):
    """at: when, in ISO 8601. failed: a line for each check that failed."""

    at: str
    passed: int
    failed: tuple[str, ...] = ()


def keep(site: str, report: Report) -> None:
    """Keeps the result. site: tells this project's hosts from others'."""
    failed = tuple(f"{check.role} on {check.host}: {check.sentence}. {check.found}"[:500] for check in report.failed)
    passed = sum(1 for check in report.checks if not check.found and not check.skipped)
    kept.keep(KIND, site, Verified(datetime.now(UTC).isoformat(timespec="seconds"), passed, failed))


def last(site: str) -> Verified | None:
    return kept.kept(KIND, site, Verified)
