"""`hosts.disconnect`: the end of connections that transport openssh has kept open."""

from __future__ import annotations

from hdss7.options import Options
from hdss7.project import open_project
from provision.errors import Exit
from provision.remote.masters import Master, kept


def disconnect(options: Options) -> int:
    """End the connections to the hosts within --limit, or all that this user has."""
    found = kept() if options.limit is None else _within(options)
    ended = sum(master.end() for master in found)
    print(f"{ended} kept connection{'' if ended == 1 else 's'} ended")
    return Exit.OK


def _within(options: Options) -> list[Master]:
    site = open_project(options)
    selection = options.selection()
    logins = [site.project.login(host, selection) for host in site.project.hosts(options.limit, adhoc=True)]
    return [master for login in logins for master in kept(login.dial, login.place)]
