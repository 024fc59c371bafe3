"""`history`, `blame` and `rollback`: the runs recorded on hosts, and their rollback."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from hdss7.deploy import run_and_report
from hdss7.explained import ExplainedSite
from hdss7.options import Options
from hdss7.project import OpenProject, open_project
from hdss7.report import text
from hdss7.report.run_folder import receipts
from provision.apply.options import RunOptions
from provision.errors import Exit, InputError, worst
from provision.history.journal import JournalQuestion, Written
from provision.history.query import HostHistory, RecordedChange, ask_histories, recorded_changes, result, when
from provision.remote.login import Login
from provision.rollback_site import RollbackSite
from provision.spelling import listed, suggestion
from provision.usage import usage


def history(options: Options) -> int:
    """The runs recorded on hosts, or with --run the changes of one of them."""
    site = open_project(options)
    histories = _asked(site, options, JournalQuestion(_named(options.run) or "*"))
    complete = not any(each.error for each in histories)
    if options.run and complete and not any(each.runs for each in histories):
        raise _unknown_run(options.run)
    lines = [*_changes(histories, options.verbose), *_receipts(options.run)] if options.run else _runs(histories)
    if not lines and complete:
        lines = ["these hosts have no record of a run of this toolkit"]
    return _end(histories, lines, options)


def blame(options: Options) -> int:
    """Who made a resource, or what is at a path, what it is: the last run first."""
    if bool(options.resource) is bool(options.path):
        raise InputError(
            "blame wants one thing to look for", do="Give --resource 'File /etc/hosts' or --path /etc/hosts"
        )
    histories = _asked(open_project(options), options)
    every = list(recorded_changes(histories))
    found = [change for change in every if _is(change, options)]
    if not found and not any(each.error for each in histories):
        known = (
            {path for change in every for path in change.entry.paths} if options.path else {t.entry.key for t in every}
        )
        what = options.resource or options.path or ""
        near = suggestion(what, sorted(known)) or f"{usage('history')} shows the recorded runs."
        print(f"{what}: these hosts have no record of a run that changed it. {near}".strip())
        return Exit.OK
    return _end(histories, [line for change in found for line in _blamed(change)], options)


def rollback(options: Options) -> int:
    """Roll a run back: planned, shown and applied like a deploy."""
    opened = open_project(options)
    run = _named(options.run)
    if not run:
        histories = _asked(opened, options)
        if any(each.error for each in histories):
            return _end(histories, [], options)
        run = _last([written for each in histories for written in each.runs])
    histories = _asked(opened, options, JournalQuestion(run, contents=True))
    if any(each.error for each in histories):
        return _end(histories, [], options)
    runs = {each.host: each.runs[0] for each in histories if each.runs}
    if not runs:
        raise _unknown_run(run)
    written = next(iter(runs.values()))
    out = sys.stderr if options.json else sys.stdout
    print(f"rolling back {run}, by {written.who}, {when(written)}: {written.about.command}", file=out)
    site = RollbackSite(ExplainedSite(opened.project, options.selection()), runs)
    for host, why in site.lasting:
        print(f"{host}: stays as it is: {why}", file=out)
    run_options = RunOptions(
        check=options.check,
        forks=options.forks,
        wait=options.wait,
        force=options.force,
        command=f"rollback of {run}",
        rollback_of=run,
    )
    # named, because without --run the next rollback would be of this one
    return run_and_report(site, run_options, replace(options, run=run), "rollback", opened.identity)


def _asked(site: OpenProject, options: Options, question: JournalQuestion | None = None) -> list[HostHistory]:
    selection = options.selection()
    logins: list[Login] = [site.project.login(host, selection) for host in site.project.hosts(options.limit)]
    site.check_up()
    return ask_histories(logins, options.forks, question)


def _named(run: str | None) -> str:
    """The run's name, which becomes part of a file's name on hosts."""
    if run and not all(letter.isalnum() or letter == "-" for letter in run):
        raise _unknown_run(run)
    return run or ""


def _last(runs: Sequence[Written]) -> str:
    """The last run. Raises InputError when there is none, or it was a rollback: further back, or again, is a choice."""
    if not runs:
        raise InputError("there is no run to undo", do=f"{usage('history')} shows the recorded runs")
    last = max(runs, key=lambda written: written.run)
    if last.about.undoes:
        raise InputError(
            f"the last run, {last.run}, was itself a rollback",
            do=f"Say which run is meant: --run {last.about.undoes} goes on with that one, --run {last.run} undoes it, "
            f"and {usage('history')} shows those before",
        )
    return last.run


def _unknown_run(run: str) -> InputError:
    return InputError(f"no host has a record of the run {run!r}", do=f"{usage('history')} shows the recorded runs")


def _is(change: RecordedChange, options: Options) -> bool:
    if options.resource:
        return change.entry.key == options.resource
    return any(path == options.path or path.startswith(f"{options.path}/") for path in change.entry.paths)


def _runs(histories: Iterable[HostHistory]) -> list[str]:
    """A row for each run, the youngest first."""
    runs: dict[str, list[HostHistory]] = {}
    for each in histories:
        for written in each.runs:
            runs.setdefault(written.run, []).append(replace(each, runs=(written,)))
    rows = [("run", "when", "who", "command", "commit", "hosts", "changes", "result")]
    for run in sorted(runs, reverse=True):
        written = runs[run][0].runs[0]
        entries = [entry for each in runs[run] for entry in each.runs[0].entries]
        hosts = listed((each.host for each in runs[run]), 4)
        head = (run, when(written), written.who, written.about.command, written.about.commit or "-", hosts)
        rows.append((*head, str(len(entries)), result([each.runs[0] for each in runs[run]])))
    return text.columns(rows, right=(6,)) if runs else []


def _changes(histories: Iterable[HostHistory], verbose: int) -> list[str]:
    """A line for each change of one run."""
    rows = []
    for each in histories:
        for written in each.runs:
            for entry in written.entries:
                ended = {0: "", None: "  (cut)"}.get(entry.code, f"  (failed: {entry.code})")
                ended += "  (reverting)" if entry.undoes else ""
                where = f"  ({entry.role}, {entry.line})" if verbose else ""
                rows.append(
                    (text.SYMBOLS.get(entry.action, "~"), each.host, entry.key, f"{entry.summary}{ended}{where}")
                )
    return text.columns(rows) if rows else []


def _receipts(run: str) -> list[str]:
    """What clients saw of a run's rolling plays, if this is where it was started."""
    lines = []
    for play in receipts(run):
        seen = f"{play['requests']} requests, {play['failures']} failed, longest gap {play['longest_gap']:.0f} ms"
        lines.append(f"{play['play']}: {seen}, from {play.get('began', 'its beginning')}")
        for app in play.get("applications", ()):
            lines.append(f"    {app['name']}: {app['requests']} requests, {app['failures']} failed")
        for window in play["windows"]:
            until = f"{window['back']:.1f} s" if window["back"] is not None else "the end, and after it"
            lines.append(f"    {window['host']} out from {window['out']:.1f} s to {until}")
        lines += [f"    {fault}" for fault in play["first_faults"]]
    return lines


def _blamed(change: RecordedChange) -> list[str]:
    written, entry = change.written, change.entry
    commit = f", commit {written.about.commit}" if written.about.commit else ""
    lines = [
        f"{change.host}  {entry.key}  {entry.summary}",
        f"    run {written.run}, by {written.who}, {when(written)}: {written.about.command}{commit}",
        f"    role {entry.role}, {entry.line}",
    ]
    return [*lines, *(f"    variable {variable}" for variable in entry.variables)]


def _end(histories: Sequence[HostHistory], lines: list[str], options: Options) -> int:
    code = worst([each.error.exit for each in histories if each.error])
    out = sys.stderr if options.json else sys.stdout
    for line in lines:
        print(line, file=out)
    sys.stdout.flush()
    for paragraph in text.paragraphs(each.error.explanation for each in histories if each.error):
        print(paragraph, file=sys.stderr)
    if options.json:
        from hdss7.report.json import encode

        print(encode({each.host: _described(each) for each in histories}, None, code))
    return code


def _described(each: HostHistory) -> dict[str, Any]:
    return {
        "status": "ok" if each.error is None else "unreachable",
        "error": each.error.explanation.as_dict() if each.error else None,
        "runs": [
            {
                "run": written.run,
                "who": written.who,
                "began": written.began,
                "command": written.about.command,
                "commit": written.about.commit,
                "undoes": written.about.undoes,
                "changes": [
                    {
                        "resource": entry.key,
                        "role": entry.role,
                        "line": entry.line,
                        "action": entry.action,
                        "summary": entry.summary,
                        "variables": list(entry.variables),
                        "code": entry.code,
                    }
                    for entry in written.entries
                ],
            }
            for written in each.runs
        ],
    }
