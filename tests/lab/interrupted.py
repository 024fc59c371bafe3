"""Deploys that are cut in the midst of a step: `python -m tests.lab.interrupted LAB EXTRA_VARS [HOST RESOURCE]`.

Without these two the controller dies in its first step. It prints `HOST RESOURCE` of the steps that it began.
A host ends a step that it has, so every such run does at least one, and runs of one change, one after the other, die in
each of its steps. With both, the host's power is cut in that step, and the controller dies when it is up again.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass

from hdss7.options import Options
from hdss7.project import open_project
from lab import commands
from provision.apply.events import ChangeStarted, Event
from provision.apply.options import RunOptions
from provision.project_site import ProjectSite
from provision.remote.connection import Session
from provision.remote.protocol import Step, StepResult
from provision.runner import run
from tests.lab.conftest import ROOT

MIDST = 0.1  # seconds after a step was sent
WAIT = 100  # for the step that the run before has left behind
SECONDS = 300
TRIES = 6


@dataclass(frozen=True)
class Cut:
    """A run that died. steps: (host, resource) that it had begun; ended: it had nothing left to do."""

    steps: tuple[tuple[str, str], ...]
    ended: bool


def deploy(lab: str, extra_vars: str, *power: str) -> Cut:
    """Runs it. power: host and resource. The test fails where it ends otherwise than by its own hand or well."""
    argv = [sys.executable, "-m", "tests.lab.interrupted", lab, extra_vars, *power]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode in (0, -signal.SIGKILL), f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    steps = (line.split(" ", 1) for line in done.stdout.splitlines())
    return Cut(tuple((host, key) for host, key in steps), ended=done.returncode == 0)


def until_ended(lab: str, extra_vars: str, after_each: Callable[[], None] = lambda: None) -> set[tuple[str, str]]:
    """Runs that die in their first step, one after the other, until one has nothing left to do. What they died in.

    A controller may die before its step has left it: then the next run begins with the same one.
    """
    reached: set[tuple[str, str]] = set()
    again = 0
    while not (cut := deploy(lab, extra_vars)).ended:
        again = again + 1 if set(cut.steps) <= reached else 0
        assert again < TRIES, f"{TRIES} runs did not get past {cut.steps}"
        reached |= set(cut.steps)
        after_each()
    return reached


def _when_sent(cut: Callable[[], None]) -> None:
    """Cuts MIDST seconds after the next step has left: what a step is made of may take longer than that."""
    run = Session.run

    def sent(session: Session, step: Step) -> StepResult:
        threading.Timer(MIDST, cut).start()
        setattr(Session, "run", run)  # noqa: B010 - a method
        return run(session, step)

    setattr(Session, "run", sent)  # noqa: B010 - a method


def main() -> None:
    """The controller that dies."""
    lab, extra_vars, *power = sys.argv[1:]
    options = Options(lab=lab, extra_vars=(extra_vars,))
    opened = open_project(options)
    site = ProjectSite(opened.project, options.selection())
    begun = threading.Event()

    def cut() -> None:
        if power:
            commands.reboot(lab, power[0], hard=True)
        os.kill(os.getpid(), signal.SIGKILL)

    def emit(event: Event) -> None:
        if not isinstance(event, ChangeStarted):
            return
        step = (event.host, event.item.resource.key)
        sys.stdout.write(f"{event.host} {event.item.resource.key}\n")  # in one piece: hosts change side by side
        sys.stdout.flush()
        if not begun.is_set() and (not power or step == tuple(power)):
            begun.set()
            _when_sent(cut)

    report = run(site, RunOptions(wait=WAIT), emit)
    if begun.is_set():
        threading.Event().wait(SECONDS)  # the run is over before the host is up again
    for host in report.hosts:
        if host.error:
            print(host.error, file=sys.stderr)
    sys.exit(report.exit)


if __name__ == "__main__":
    main()
