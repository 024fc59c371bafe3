"""A lab with bare hosts, for the tests of the lab itself: up, a command on a host, and what a lab leaves behind."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from lab import commands, network
from lab.state import Lab

NAME, OTHER, SUDO = "t-lab", "t-lab-other", "t-lab-sudo"
HOSTS = ("hdss7-11", "hdss7-21", "hdss7-22")
SECONDS = 20.0


def quiet(text: str) -> None:
    """A `say` that says nothing."""


def up(name: str = NAME, say: Callable[[str], None] = quiet) -> None:
    commands.up(name, wait_artifacts=False, say=say)


def on(host_name: str, script: str, name: str = NAME) -> subprocess.CompletedProcess[str]:
    """Run a script on a host, past sshd."""
    argv = commands.command(name, host_name, ["sh", "-c", script])
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def ssh(host_name: str, script: str, name: str = NAME) -> subprocess.CompletedProcess[str]:
    """Run a script on a host as its operator would: this machine's ssh, strict about host keys."""
    argv = commands.ssh_command(name, host_name, [script])
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def eventually(condition: Callable[[], bool]) -> bool:
    """Whether the condition comes true in time."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def traces(name: str) -> list[str]:
    """Everything of a lab outside its folder: namespaces, control groups, mounts (of any process), processes."""
    folder = f"{Lab.named(name).directory}/"
    found = [str(path) for path in network.NAMESPACES.glob(f"hdss7.{name}.*")]
    found += [path for path, _, _ in os.walk("/sys/fs/cgroup") if f"/hdss7.{name}/" in f"{path}/"]
    for process in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (process / "cmdline").read_text().replace("\0", " ")
            if folder in arguments or f"lab.daemon {name} " in arguments:
                found.append(f"process {process.name}: {arguments[:100]}")
            if folder in (process / "mounts").read_text():
                found.append(f"mount in process {process.name}: {arguments[:100]}")
        except OSError:  # it ended while it was looked at
            continue
    return found
