"""Why the site does not answer, in the error of the run after which it does not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from provision.apply.states import Failed
from provision.errors import Exit, ProvisionError
from provision.project_site import ProjectSite

if TYPE_CHECKING:
    from provision.apply.run import Report
    from provision.playbook.health_check import HealthCheck
    from provision.playbook.plays import Play


class ExplainedSite(ProjectSite):
    """A deploy whose errors say why the site does not answer."""

    def explain(self, url: str) -> str:
        """The verdict of a trace; '' when the URL answers, or nothing can be asked."""
        from hdss7.tracing import judged, places, traced  # asks the hosts: only once something has failed
        from provision.verify.context import Context
        from urltrace.request import parse_request

        context = Context(self.project, replace(self.selection, limit=None))
        try:
            with places(context) as asked:
                verdict = judged(traced(context, asked, parse_request(url)), self.project)
        except ProvisionError:  # what failed stands in the error already
            return ""
        return f"Trace of {url}: {verdict.sentence}" if verdict.fault or verdict.unexplained else ""


class Explaining(Protocol):
    """What of a Site is asked here."""

    plays: tuple[Play, ...]

    def health_check(self, play: Play) -> HealthCheck | None: ...

    def explain(self, url: str) -> str: ...


def explained(report: Report, site: Explaining) -> str:
    """The verdict about the URLs that have to go on answering, as a line, and added to the first host's error.

    '' when the run did not fail, when they answer, and when an error says it already.
    """
    failed = [
        (host, host.state) for host in report.hosts if isinstance(host.state, Failed) and host.code is Exit.FAILED
    ]
    if report.exit is not Exit.FAILED or not failed or "Trace of " in "".join(str(host.error) for host, _ in failed):
        return ""
    urls = dict.fromkeys(check.url for play in site.plays if (check := site.health_check(play)))
    said = ". ".join(filter(None, map(site.explain, urls)))
    host, state = failed[0]
    if said:
        found = ". ".join(filter(None, (state.error.explanation.found.rstrip("."), said)))
        host.state = replace(state, error=state.error.but(found=found))
    return said
