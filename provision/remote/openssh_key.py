"""The key that a host shows to the system's ssh, by whatever way ~/.ssh/config leads to it."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from provision.remote import refusals
from provision.remote.host_keys import HostKey
from provision.remote.login import Login
from provision.remote.openssh import environment
from provision.remote.openssh_argv import argv, word
from provision.remote.openssh_errors import refusal


def shown_key(login: Login) -> tuple[str, HostKey]:
    """By which name ssh looks the host up in known_hosts, and its key; nobody logs in. Jump hosts are checked strictly.

    Raises UnreachableError.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "shown")
        first = {
            "StrictHostKeyChecking": "accept-new",
            "UserKnownHostsFile": word(str(file)),
            "GlobalKnownHostsFile": "/dev/null",
            "HashKnownHosts": "no",
            "PreferredAuthentications": "none",
        }
        words = [*argv(login, None, first), "exit"]
        try:
            asked = subprocess.run(
                words, env=environment(login), input=b"", capture_output=True, timeout=3 * login.timeout, check=False
            )
        except subprocess.TimeoutExpired:
            raise refusals.not_logged_in(login, refusals.NO_ANSWER) from None
        shown = file.read_text().split() if file.exists() else []
    if len(shown) < 3:
        raise refusal(login, asked.stderr.decode("utf-8", "replace"))
    return shown[0], HostKey(shown[1], shown[2])
