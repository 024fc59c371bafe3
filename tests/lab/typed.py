"""Commands as a user types them, on the one deployed site that several modules share."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab import commands
from tests.lab.conftest import ROOT

NAME = "t-site"
HOSTS = ("hdss7-11", "hdss7-21", "hdss7-22")
SECONDS = 400
KUBECTL = "/opt/kubernetes/server/bin/kubectl --kubeconfig=/opt/kubernetes/server/bin/conf/admin.kubeconfig"


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    output: str
    errors: str

    @property
    def document(self) -> Mapping[str, Any]:
        """What --json printed."""
        found: Mapping[str, Any] = json.loads(self.output)
        return found

    @property
    def changes(self) -> set[tuple[str, str]]:
        """(host, resource) of everything that changed or would."""
        hosts = self.document["hosts"]
        return {(name, change["resource"]) for name, host in hosts.items() for change in host["changes"]}

    def __str__(self) -> str:
        """For a test that fails."""
        return f"exit {self.code}\n{self.output[-4000:]}\n{self.errors[-4000:]}"


class Typed:
    """Commands typed on one lab, and its hosts asked past sshd. root: the folder that they are typed in.

    seconds: what a command has.
    """

    seconds = SECONDS

    def __init__(self, name: str, root: Path = ROOT) -> None:
        self.name = name
        self.root = root

    def argv(self, *words: str) -> list[str]:
        """A command as a user types it, on this lab."""
        return [sys.executable, "-m", "invoke", *words, "--lab", self.name]

    def invoke(self, *words: str) -> Ended:
        """Runs it to its end."""
        done = subprocess.run(
            self.argv(*words), cwd=self.root, capture_output=True, text=True, timeout=self.seconds, check=False
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def on(self, host: str, script: str) -> str:
        """What a script prints on a host, past sshd. The test fails where the script does."""
        argv = commands.command(self.name, host, ["sh", "-c", script])
        done = subprocess.run(argv, capture_output=True, text=True, timeout=90, check=False)
        assert done.returncode == 0, f"{host}: {script}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout.strip()

    def sessions(self, host: str) -> tuple[int, int]:
        """(logins, commands) that the host's sshd has logged so far."""
        log = self.on(host, "journalctl -u ssh -o cat --no-pager")
        executed = re.findall(r"^Starting session: (?:command|shell)", log, re.M)
        return len(re.findall(r"^Accepted publickey ", log, re.M)), len(executed)


SITE = Typed(NAME)
invoke, on, sessions = SITE.invoke, SITE.on, SITE.sessions
