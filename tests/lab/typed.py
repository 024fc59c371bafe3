"""Commands as a user types them, on the one deployed site that several modules share."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from lab import commands
from roles._cluster import folders
from roles._site import SiteSettings
from tests.lab.conftest import ROOT, running
from tests.lab.running import SECONDS, Ended, Running

NAME = "t-site"
HOSTS = ("hdss7-11", "hdss7-21", "hdss7-22")
BIN = folders(SiteSettings()).bin  # where the declared version of Kubernetes lies on a node
KUBECTL = "/opt/kubernetes/server/bin/kubectl --kubeconfig=/opt/kubernetes/server/bin/conf/admin.kubeconfig"


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

    def start(self, *words: str) -> Running:
        """A command that is not waited for."""
        return Running(self.argv(*words), self.root)

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


T = TypeVar("T", bound=Typed)


@contextmanager
def deployed_site(site: T, *lab: Path, words: Sequence[str] = (), seconds: int = 600) -> Iterator[T]:
    """A lab of that name, deployed from bare and forgotten at the end.

    lab: the sources of its hosts, the default site's where there is none. words: of the deploy. seconds: of a command.
    """
    with running(site.name, *lab):
        site.seconds = seconds
        ended = site.invoke("deploy", *words)
        assert ended.code == 0, str(ended)
        yield site


SITE = Typed(NAME)
invoke, on, sessions = SITE.invoke, SITE.on, SITE.sessions
