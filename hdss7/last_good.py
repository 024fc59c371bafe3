"""How each hop looked when a URL last answered: kept on the controller, with who has changed it since."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from hdss7.report.run_folder import folder as runs_folder
from provision.atomic import replace_file
from provision.decoding import decode
from provision.folders import state_folder
from urltrace.evidence import Evidence
from urltrace.fingerprint import Difference, Print, differences, fingerprints


class LastGood(msgspec.Struct, frozen=True):
    """at: when, in ISO 8601."""

    at: str
    prints: tuple[Print, ...]


def remember(site: str, evidence: Evidence) -> None:
    """Keeps how the hops look now. site: tells this project's hosts from others'. A full disk costs only that."""
    with contextlib.suppress(OSError):
        path = _path(site, evidence)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        kept = LastGood(evidence.at, fingerprints(evidence))
        replace_file(path, msgspec.json.encode(kept).decode())


def changes(site: str, evidence: Evidence) -> tuple[str, tuple[Difference, ...]]:
    """When the URL last answered, and what is different since; ('', ()) when it never did."""
    try:
        last = decode(_path(site, evidence).read_bytes(), LastGood)
    except (OSError, msgspec.MsgspecError):
        return "", ()
    found = differences(last.prints, fingerprints(evidence))
    made = list(_made_since(last.at))
    return last.at, tuple(msgspec.structs.replace(one, by=_by(one, made)) for one in found)


def _path(site: str, evidence: Evidence) -> Path:
    sent = evidence.sent
    key = f"{site} {evidence.client} {sent.method} {sent.scheme}://{sent.host}{sent.path}"
    return state_folder("traces") / f"{hashlib.sha256(key.encode()).hexdigest()[:20]}.json"


def _made_since(at: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """(run, change) of every change that this controller's runs have made since, the latest first."""
    folder = runs_folder()
    for path in sorted(folder.iterdir(), reverse=True) if folder.is_dir() else ():
        try:
            run = json.loads((path / "run.json").read_text().splitlines()[0])
            lines = [json.loads(line) for line in (path / "changes.jsonl").read_text().splitlines()]
        except (OSError, ValueError, IndexError):
            continue
        if str(run["began"]) < at:
            return
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
