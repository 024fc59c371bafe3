"""How each hop looked when a URL last answered: kept on the controller, with who has changed it since."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from hdss7 import kept
from hdss7.report.run_folder import folder as runs_folder
from hdss7.report.run_folder import recorded
from urltrace.evidence import Evidence
from urltrace.fingerprint import Difference, Print, differences, fingerprints

KIND = "traces"


class LastGood(msgspec.Struct, frozen=True):
    """at: when, in ISO 8601."""

    at: str
    prints: tuple[Print, ...]


def remember(site: str, evidence: Evidence) -> None:
    """Keeps how the hops look now. site: tells this project's hosts from others'."""
    kept.keep(KIND, _key(site, evidence), LastGood(evidence.at, fingerprints(evidence)))


def changes(site: str, evidence: Evidence) -> tuple[str, tuple[Difference, ...]]:
    """When the URL last answered, and what is different since; ('', ()) when it never did."""
    last = kept.kept(KIND, _key(site, evidence), LastGood)
    if last is None:
        return "", ()
    found = differences(last.prints, fingerprints(evidence))
    made = list(_made_since(site, last.at))
    return last.at, tuple(msgspec.structs.replace(one, by=_by(one, made)) for one in found)


def _key(site: str, evidence: Evidence) -> str:
    sent = evidence.sent
    return f"{site} {evidence.client} {sent.method} {sent.scheme}://{sent.host}{sent.path}"


def _made_since(site: str, at: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """(run, change) of every change that this controller's runs have made since, the latest first."""
    for run in recorded(site):
        if str(run["began"]) < at:
            return
        try:
            text = (runs_folder() / str(run["run"]) / "changes.jsonl").read_text()
            lines = [json.loads(line) for line in text.splitlines()]
        except (OSError, ValueError):
            continue
        yield from ((run, line) for line in lines if "key" in line)


def _by(one: Difference, made: list[tuple[dict[str, Any], dict[str, Any]]]) -> str:
    """The run that changed it, as history names it."""
    for run, change in made:
        same_host = not one.host or change["host"] == one.host
        key, diff = str(change["key"]), str(change.get("diff", ""))
        name = one.thing.rpartition("/")[2]
        if same_host and (one.thing in key or _holds(key, one.thing) or (key.startswith("Manifests") and name in diff)):
            return f"by run {run['run']} of {run['who']} (role {change['role']}, {change['line']})"
    return "by hand"


def _holds(key: str, path: str) -> bool:
    """Whether a set of files holds a path."""
    folder = key.partition(" ")[2]
    return folder.startswith("/") and path.startswith(f"{folder.rstrip('/')}/")
