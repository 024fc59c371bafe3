"""What the page of a trace says of the site besides: last rolling update, drift, last verify."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hdss7.explained import ExplainedSite
from hdss7.last_verify import last
from hdss7.options import Options
from hdss7.project import open_project
from hdss7.report.run_folder import folder, receipts
from provision import runner
from provision.apply.options import RunOptions
from urltrace.html.page import Around

LINES = 40


def around(options: Options, site: str) -> Around:
    """Asks every host once more, for what is not as declared."""
    verified = last(site)
    shown = None
    if verified:
        shown = [f"{verified.at}: {verified.passed} passed, {len(verified.failed)} failed", *verified.failed][:LINES]
    return Around(receipt=_receipt(), drift=_drift(options)[:LINES], verified=shown)


def _receipt() -> list[str] | None:
    """Of the last run of this controller that changed nodes one by one."""
    runs = sorted((path.parent.name for path in folder().glob("*/receipt.json")), reverse=True)
    return [_line(runs[0], play) for play in receipts(runs[0])] if runs else None


def _line(run: str, play: dict[str, Any]) -> str:
    known = ", ".join(f"{name} {value}" for name, value in play.items() if isinstance(value, int | float | str))
    return f"{run}: {known}"


def _drift(options: Options) -> list[str]:
    opened = open_project(options)
    site = ExplainedSite(opened.project, replace(options.selection(), limit=None))
    report = runner.run(site, RunOptions(check=True, forks=options.forks, command="trace"))
    lines = []
    for host in report.hosts:
        if host.error:
            lines.append(f"{host.name}: {host.error}")
        lines += [f"{host.name}: {item.resource.key}" for item in (host.plan.changes if host.plan else ())]
    return lines
