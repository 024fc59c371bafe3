"""`deploy` and `plan`: from what was typed to the engine, and from its report to the exit code."""

from __future__ import annotations

import os
import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hdss7.options import CHOSEN, LOGIN, OPTIONS, SPREAD, Kind, Options
from hdss7.project import open_project
from hdss7.workers import handled_here, handling
from provision.errors import Exit, InputError
from provision.home import expanded
from provision.inventory import ansible
from provision.remote.host import RemoteHost, first_of
from provision.usage import usage

if TYPE_CHECKING:
    from provision.apply.options import RunOptions
    from provision.apply.run import Report
    from provision.apply.site import Site
    from provision.project import Project, Selection
    from provision.remote.lock import Holder


def deploy(options: Options) -> int:
    """Plan every host and, unless --check, make the plan true. Returns the exit code."""
    return _run(options, "deploy", check=options.check)


def plan(options: Options) -> int:
    """What deploy would change, with diffs."""
    return _run(replace(options, diff=True), "plan", check=True)


def _run(options: Options, name: str, *, check: bool) -> int:
    opened = open_project(options)
    selection = options.selection()
    begun = connecting(opened.project, selection, options)
    from hdss7.acme.renew import due, last  # what a run needs is imported while hosts answer
    from hdss7.explained import ExplainedSite
    from provision.apply.options import RunOptions
    from provision.plan import planfile

    if options.prune and not selection.everything:
        raise InputError("--prune looks at everything that is declared", do="Leave out --tags and --skip-tags")
    site = ExplainedSite(opened.project, selection)
    hosts = [login.name for login in site.logins]
    if not selection.everything and not any(site.declared(host) for host in hosts):
        raise InputError("--tags and --skip-tags leave nothing of what is declared", do="Leave one of them out")
    if options.save:
        _check_writable(expanded(options.save))
    run_options = RunOptions(
        check=check,
        wait=options.wait,
        force=options.force,
        prune=options.prune,
        command=name,
        agreed=planfile.load(expanded(options.plan), hosts) if options.plan else None,
    )
    opened.check_up()

    def run() -> int:
        with handling(options, len(hosts)) as handled:
            spread = replace(run_options, reach=first_of(begun, handled.reach), forks=handled.forks)
            return run_and_report(site, spread, options, name, opened.identity)

    brought = None if check else due(opened.project, selection, hosts)
    return last(brought, options, deploy, run) if brought else run()


def connecting(project: Project, selection: Selection, options: Options) -> tuple[RemoteHost, ...]:
    """The hosts of a run, each of which is being connected to; none where workers handle them. Raises InputError.

    What is wrong with a role shows later: then a host has been logged in to, and nothing was asked of it.
    """
    hosts = project.hosts(selection.limit)
    if not handled_here(options, len(hosts)):
        return ()
    logins = (project.login(host, selection) for host in hosts[: options.forks or len(hosts)])
    begun = tuple(RemoteHost(login) for login in logins)
    for remote in begun:
        remote.begin()
    return begun


def run_and_report(site: Site, run_options: RunOptions, options: Options, name: str, identity: str) -> int:
    """Runs the engine and reports: on the terminal, as JSON, in the log, in the run's folder. Returns the exit code.

    identity: of the project whose hosts these are.
    """
    from hdss7.explained import explained
    from hdss7.report.console import Console
    from hdss7.report.log import Log
    from hdss7.report.run_folder import RunFolder
    from hdss7.signals import interrupts
    from provision import runner
    from provision.history.journal import About

    console = Console(sys.stderr if options.json else sys.stdout, diff=options.diff, verbose=options.verbose)
    log = Log.open(name)

    def about() -> About:
        return About(run_options.command, site.commit(), run_options.rollback_of)

    folder = RunFolder(run_options.holder, about, identity)

    def emit(event: Any) -> None:
        log(event)
        folder(event)
        console(event)

    with interrupts() as stop:
        report = runner.run(site, run_options, emit, stop)
    then = next_step(report.exit, options, name, log.path)
    if not run_options.check and (why := explained(report, site)):
        then = f"{why}\n{then}"
    if report.rolled:
        then = f"What clients saw meanwhile: {folder.receipt}\n{then}"
    then = "\n".join((*site.notes(), then))
    console.finish(report, check=run_options.check, next_step=then)
    if options.save and report.exit in (Exit.OK, Exit.DIFFERENCES):
        _save(expanded(options.save), report, run_options.holder, site.commit())
    elif options.save:
        print("the plan was not saved: not every host gave one", file=sys.stderr)
    if options.json:
        from hdss7.report.json import document

        print(document(report, run_options.check))
    return report.exit


def _check_writable(path: Path) -> None:
    """Raises InputError for a file that can't be made: before hosts are asked for what would be in it."""
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        found = "it is a folder" if path.is_dir() else f"{path.parent} is no folder where this user may write"
        raise InputError(f"--save {path} can't be written", found=found, do="Name a file: --save site.plan")


def _save(path: Path, report: Report, holder: Holder, commit: str) -> None:
    """Keeps a plan of all the hosts. Raises InputError for a file that can't be written."""
    from provision.plan.planfile import save

    when = holder.began.isoformat(timespec="seconds")
    save(path, [host.plan for host in report.hosts if host.plan], holder.who, when, commit)


def next_step(code: Exit, options: Options, name: str, log: Path) -> str:
    """What the person who reads the report most likely does now."""
    if code is Exit.OK:
        return f"Next: {usage('verify')}{retyped(options, chosen=False)}"
    if code is Exit.DIFFERENCES:
        kept = options.save or options.plan
        then = f"deploy --plan {shlex.quote(kept)}" if kept else f"{'rollback' if name == 'rollback' else 'deploy'}"
        return f"Next: {usage(then)}{retyped(replace(options, save=None, plan=None))}"
    again = usage(f"{name}{' --check' if options.check else ''}{retyped(options)}")
    if code is Exit.INTERRUPTED:
        return f"Next: go on where this stopped: {again} (log: {log})"
    if code is Exit.UNREACHABLE:
        return f"Next: {usage('ping')}{retyped(options, chosen=False)}, then again: {again} (log: {log})"
    return f"Next: fix what is named above, then run again: {again} (log: {log})"


def retyped(options: Options, *, chosen: bool = True) -> str:
    """The options that say which hosts and which login, to be typed again. chosen: what is to be done there too."""
    words: list[str] = []
    for name in (*LOGIN, *SPREAD, *(("run", "prune", "save", "plan", *CHOSEN) if chosen else ())):
        option = OPTIONS[name]
        value = getattr(options, option.field)
        if option.kind is Kind.NUMBER:
            words += [f"--{option.name}", str(value)] if value != option.default else []
        elif option.kind is Kind.FLAG:
            words += [f"--{option.name}"] if value else []
        else:
            for each in (value,) if isinstance(value, str) else value or ():
                words += [f"--{option.name}", _without_password(each) if option.field == "extra_vars" else each]
    return "".join(f" {shlex.quote(word)}" for word in words)


def _without_password(extra: str) -> str:
    """One --extra-vars, without the password that somebody may have typed in it."""
    return "..." if any(name in extra for name in ansible.SECRETS) and not extra.startswith("@") else extra
