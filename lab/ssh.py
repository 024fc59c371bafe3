"""Logging in to a lab's host as its operator: this machine's ssh, from the ops host, with the lab's keys."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from lab import keys, ops_host
from lab.state import Lab
from lab.topology import HostSpec


def command(lab: Lab, host: HostSpec, argv: Sequence[str] = ()) -> list[str]:
    """The command line that logs in to a host, through its jump host if it has one, and runs `argv` or a shell.

    As with ssh itself, the words of `argv` are joined by blanks and read by a shell. Raises FailedError when the lab
    is down.
    """
    ssh = ["ssh", *_options(lab)]
    way: list[str] = []
    if host.behind:
        jump = lab.topology().host(host.behind)
        hop = [*ssh, "-p", str(jump.port), "-W", "%h:%p", f"{jump.user}@{jump.address}"]
        way = ["-o", f"ProxyCommand={shlex.join(hop)}"]
    return ops_host.command(lab, [*ssh, *way, "-p", str(host.port), f"{host.user}@{host.address}", *argv])


def _options(lab: Lab) -> list[str]:
    """Nothing of the user's own ssh configuration: the lab's key, and the lab's idea of which host is which."""
    settings = {
        "IdentityFile": keys.client_key(lab.keys),
        "IdentitiesOnly": "yes",
        "UserKnownHostsFile": keys.known_hosts(lab.keys),
        "GlobalKnownHostsFile": "/dev/null",
        "StrictHostKeyChecking": "yes",
    }
    return ["-F", "/dev/null", *(word for name, value in settings.items() for word in ("-o", f"{name}={value}"))]
