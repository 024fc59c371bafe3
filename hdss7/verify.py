"""`verify`: the acceptance checks of tests/verify, over the engine's own connections."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from hdss7.options import Options
from hdss7.project import OpenProject, open_project
from hdss7.signals import interrupts
from hdss7.workers import handling
from provision.home import expanded

if TYPE_CHECKING:
    from provision.verify.context import Context
    from provision.verify.report import Report


def _after(site: OpenProject, options: Options, context: Context, report: Report) -> Iterable[str]:
    """Keeps the results; says why checks failed, or remembers how the hops look when everything is well."""
    from hdss7.causes import causes, remembered
    from hdss7.last_verify import keep

    if options.k or options.limit:
        return causes(site.project, context, report)
    keep(site.identity, report)
    if report.failed:
        return causes(site.project, context, report)
    remembered(site.project, context, site.identity)
    return ()


def verify(options: Options) -> int:
    """Run every check of the hosts within --limit, or those that -k names. Returns the exit code."""
    from provision import verify as checks  # brings pytest along: only here

    site = open_project(options)
    selection = options.selection()
    hosts = site.project.hosts(options.limit)  # a limit that means nothing is bad input, whether the lab is up or not
    site.check_up()
    junit = expanded(options.junit).absolute() if options.junit else None
    with handling(options, len(hosts)) as handled, interrupts() as stop:
        return checks.main(
            site.project,
            selection,
            k=options.k,
            deep=options.deep,
            junit=junit,
            stop=stop,
            causes=partial(_after, site, options),
            reach=handled.reach,
        )
