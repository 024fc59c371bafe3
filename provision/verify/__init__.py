"""`invoke verify`: runs the checks of tests/verify on live hosts with pytest."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from provision.errors import Exit, InputError, worst
from provision.remote.host import Reach, RemoteHost

if TYPE_CHECKING:
    from provision.project import Project, Selection
    from provision.verify.context import Context
    from provision.verify.report import Report

RETRY_SECONDS = 6.0  # how long failing checks are retried: Traefik reads new routes in under one second


def packages() -> list[str]:
    """The Debian packages that `verify` needs on this controller and that are not installed, for `make`."""
    from provision.verify.chromium import PACKAGE, program

    return [] if program() else [PACKAGE]


def main(
    project: Project,
    selection: Selection,
    *,
    k: str | None = None,
    deep: bool = False,
    junit: Path | None = None,
    gate: bool = False,
    retry_for: float = RETRY_SECONDS,
    say: Callable[[str], None] = print,
    stop: threading.Event | None = None,
    causes: Callable[[Context, Report], Iterable[str]] = lambda context, report: (),
    reach: Reach = RemoteHost,
) -> Exit:
    """Runs the checks of the hosts within the selection's limit.

    k: only those whose names match, as pytest's -k. deep: those marked `deep` too. junit: a file for the results.
    gate: only checks marked `gate`, which need no other node. retry_for: seconds for which failing checks are
    retried. say: prints a line. causes: lines to end with, made while the hosts are still connected. reach: how
    hosts are connected to.
    Raises InputError for a project that can't be compiled and for a k that nothing matches.
    """
    import pytest

    from provision.verify.checks import FOLDER, PACKAGE
    from provision.verify.context import single
    from provision.verify.plugin import Verification
    from provision.verify.report import Report

    context = single(project, selection, reach)
    project.folders.make_importable(PACKAGE)
    report = Report(say)
    arguments = _arguments(project, k, gate, junit)
    stop = stop or threading.Event()
    try:
        code = pytest.main(arguments, plugins=[Verification(context, report, stop, retry_for, deep=deep)])
        why = () if stop.is_set() else tuple(causes(context, report))
    finally:
        context.close()
    if stop.is_set():
        say("interrupted: the results are unknown; what the checks had created is removed")
        return Exit.INTERRUPTED
    if code == pytest.ExitCode.NO_TESTS_COLLECTED:
        raise InputError(
            f"no check matches -k {k!r}" if k else "there is no check for these hosts",
            found=report.refused,
            do=f"The checks are in {FOLDER}: pytest's -k takes words of their names, hosts included",
        )
    if code != pytest.ExitCode.USAGE_ERROR:  # pytest has printed what it does not accept
        report.close()
        for line in why:
            say(line)
    interrupted = code == pytest.ExitCode.INTERRUPTED and not report.unread
    return _exit(int(code), report.unreachable, interrupted)


def _arguments(project: Project, k: str | None, gate: bool, junit: Path | None) -> list[str]:
    """pytest's command line."""
    from provision.verify.checks import FOLDER

    folders = project.folders
    return [
        *(str(file) for file in folders.files(FOLDER, "test_*.py") or (folders.find(FOLDER),)),
        *(f"--rootdir={folders.own}", "-o", "addopts=", "--strict-markers"),
        # of checks from elsewhere only their own folder gives names to -k, and a conftest.py
        *(f"--confcutdir={each}" for each in folders.subfolders(FOLDER) if each != folders.own / FOLDER),
        # no plugin that happens to be installed beside pytest; no output but the report's
        *("--disable-plugin-autoload", "-p", "no:terminal", "-p", "no:cacheprovider", "--capture=no"),
        *(("-k", k) if k else ()),
        *(("-m", "gate") if gate else ()),
        *((f"--junit-xml={junit}", "-o", "junit_suite_name=verify") if junit else ()),
    ]


def _exit(code: int, unreachable: bool, interrupted: bool) -> Exit:
    """pytest's 1 is a failed check; any other code but 0 means that the checks themselves could not run."""
    if interrupted:
        return Exit.INTERRUPTED
    codes = [{0: Exit.OK, 1: Exit.FAILED}.get(code, Exit.BAD_INPUT)]
    if unreachable:
        codes.append(Exit.UNREACHABLE)
    return worst(codes)
