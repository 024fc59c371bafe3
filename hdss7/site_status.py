"""The state of a site beside one URL, for the page of a trace: last rolling update, drift, last verify."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hdss7.explained import ExplainedSite
from hdss7.last_verify import last
from hdss7.options import Options
from hdss7.project import open_project
from hdss7.report.run_folder import receipts, recorded
from provision import runner
from provision.apply.options import RunOptions
from urltrace.html.page import SiteStatus

LINES = 40


def site_status(options: Options, site: str) -> SiteStatus:
    """Asks every host once more, for what is not as declared."""
    verified = last(site)
    shown = None
    if verified:
        shown = [f"{verified.at}: {verified.passed} passed, {len(verified.failed)} failed", *verified.failed][:LINES]
    return SiteStatus(receipt=_receipt(site), drift=_drift(options)[:LINES], verified=shown)


def _receipt(site: str) -> list[str] | None:
    """Of the last run of this controller that changed the site's nodes one by one."""
    rolled = ((str(run["run"]), plays) for run in recorded(site) if (plays := receipts(str(run["run"]))))
    return next(([_line(run, play) for play in plays] for run, plays in rolled), None)


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
