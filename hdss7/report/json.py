"""A run as the one object that `--json` prints: docs/command-line.md."""

from __future__ import annotations

from typing import Any

import msgspec

from provision.apply.run import HostRun, Report
from provision.errors import Exit, Explanation
from provision.plan.plan import Item
from provision.resources.base import Change, Unknown
from provision.secret import HIDDEN, Secret


def document(report: Report, check: bool) -> str:
    """The report of a run. check: it changed nothing, so that its changes are those that it would make."""
    rolled = (
        {"rolled": [{"play": each.play, **each.receipt.as_dict()} for each in report.rolled]} if report.rolled else {}
    )
    return encode({host.name: _host(host, check) for host in report.hosts}, None, report.exit, **rolled)


def failure(error: Explanation, code: Exit) -> str:
    """A command that ended before any host was asked."""
    return encode({}, error, code)


def encode(hosts: dict[str, Any], error: Explanation | None, code: int, **more: Any) -> str:
    """The object itself: every command's has these three keys, and some have more."""
    body = {"hosts": hosts, "error": error.as_dict() if error else None, **more, "exit": int(code)}
    return msgspec.json.encode(body, enc_hook=_form).decode()


def _form(value: Any) -> Any:
    """What msgspec asks for: a secret, every kind of text but the plain one, and yes, no and nothing as a key."""
    if isinstance(value, Secret):
        return HIDDEN
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return str(value)
    raise NotImplementedError(f"{type(value).__name__} has no JSON form")


def _host(host: HostRun, check: bool) -> dict[str, Any]:
    planned = host.plan.changes if host.plan else ()
    orphans = [item.declaration.made_as or item.resource.key for item in (host.plan.orphans if host.plan else ())]
    return {
        **({"no_longer_declared": orphans} if orphans else {}),
        **({"undone": [_change(applied.item) for applied in host.changes.reverted]} if host.changes.reverted else {}),
        **({"lost_workers": list(host.remote.moved)} if host.remote.moved else {}),
        "status": host.status,
        "changes": [_change(item) for item in (planned if check else [applied.item for applied in host.applied])],
        "after": [_after(item) for item in (host.plan.after if host.plan else ())],
        "error": host.error.as_dict() if host.error else None,
        "connections": host.remote.connections,
        "execs": host.remote.execs,
        "seconds": round(host.seconds, 3),
    }


def _change(item: Item) -> dict[str, str]:
    assert isinstance(item.outcome, Change)
    return {
        "resource": item.resource.key,
        "role": item.declaration.role,
        "summary": item.outcome.summary,
        "diff": item.outcome.diff,
    }


def _after(item: Item) -> dict[str, str]:
    assert isinstance(item.outcome, Unknown)
    return {"resource": item.resource.key, "role": item.declaration.role, "after": item.outcome.until}
