"""`verify`: the acceptance checks of tests/verify, over the engine's own connections."""

from __future__ import annotations

from hdss7.options import Options
from hdss7.project import open_project
from hdss7.signals import interrupts
from provision.home import expanded


def verify(options: Options) -> int:
    """Run every check of the hosts within --limit, or those that -k names. Returns the exit code."""
    from provision import verify as checks  # brings pytest along: only here

    site = open_project(options)
    selection = options.selection()
    site.project.hosts(options.limit)  # a limit that means nothing is bad input, whether the lab is up or not
    site.check_up()
    junit = expanded(options.junit).absolute() if options.junit else None
    with interrupts() as stop:
        return checks.main(site.project, selection, k=options.k, deep=options.deep, junit=junit, stop=stop)
