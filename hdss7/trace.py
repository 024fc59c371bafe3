"""`trace URL`: asks every hop of the path, and says which is at fault, by what evidence, and what to do."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from hdss7.last_good import changes, remember
from hdss7.options import LOGIN, OPTIONS, Options
from hdss7.project import open_project
from hdss7.tracing import judged, places, traced
from hdss7.with_file import Change, read_change
from provision.errors import InputError
from provision.home import expanded
from provision.project import Project
from provision.spelling import suggestion
from provision.verify.context import Context
from urltrace.evidence import Evidence, dump, load
from urltrace.fingerprint import Difference
from urltrace.request import Request, parse_request
from urltrace.summary import changed_lines, foretold, summary
from urltrace.verdict import Verdict, judge
from urltrace.view import View


@dataclass(frozen=True)
class Traced:
    """A trace that is over. since, changed: when the URL last answered, and what is different from then.

    site: whose URL it is; '' for a bundle.
    """

    evidence: Evidence
    verdict: Verdict
    seconds: float
    site: str = ""
    since: str = ""
    changed: tuple[Difference, ...] = ()


def trace(options: Options) -> int:
    """Say why a URL does not answer, or that it does. Returns the exit code."""
    request = parse_request(options.url or "", options.method or "GET", options.header)
    _refuse_unused(options)
    change = read_change(options.with_file) if options.with_file else None
    began = time.monotonic()
    if options.replay:
        evidence, project, site = _replayed(options.replay, request), None, ""
    else:
        evidence, project, site = _asked(options, request)
    done = concluded(evidence, project, site, began)
    if options.bundle:
        _save(expanded(options.bundle), dump(evidence))
    if options.html:
        from hdss7.site_status import site_status
        from urltrace.html.page import page

        known = site_status(options, site) if site else None
        _save(expanded(options.html), page(evidence, done.verdict, done.since, done.changed, known).encode())
    _print(done, change, options)
    return done.verdict.exit


def concluded(evidence: Evidence, project: Project | None, site: str, began: float) -> Traced:
    """The verdict, compared with how the hops were when the URL last answered; a good one is remembered.

    project: None for a bundle, which is judged without hops of a project's own.
    """
    verdict = judged(evidence, project) if project else judge(evidence)
    since, changed = changes(site, evidence) if site and verdict.findings else ("", ())
    if site and verdict.answered and not verdict.findings and not verdict.unasked:
        remember(site, evidence)
    return Traced(evidence, verdict, time.monotonic() - began, site, since, changed)


def _print(done: Traced, change: Change | None, options: Options) -> None:
    lines = summary(done.evidence, done.verdict, verbose=options.verbose > 0)
    lines += changed_lines(done.verdict, done.since, done.changed)
    foreseen = [*foretold(View(done.evidence), change.objects), *change.unjudged] if change else []
    for line in (*lines, *foreseen):
        print(line, file=sys.stderr if options.json else sys.stdout)
    sys.stdout.flush()
    if options.json:
        from hdss7.report.json import encode

        body = {**_described(done), **({"with": foreseen} if change else {})}
        print(encode(_hosts(done.evidence), None, done.verdict.exit, trace=body))


def _asked(options: Options, request: Request) -> tuple[Evidence, Project, str]:
    """What the hosts say, and whose URL it is."""
    opened = open_project(options)
    context = Context(opened.project, options.selection())
    if options.from_host and options.from_host not in {host.name for host in context.hosts}:
        names = [host.name for host in context.hosts]
        do = suggestion(options.from_host, names) or f"Name one of {', '.join(names)}"
        raise InputError(f"--from {options.from_host} is no host that a play is about", do=do)
    opened.check_up()
    with places(context) as asked:
        evidence = traced(context, asked, request, options.from_host or "")
    return evidence, opened.project, opened.identity


def _refuse_unused(options: Options) -> None:
    """A bundle is judged by itself: what chooses hosts or changes the request would have no effect."""
    unused = (*LOGIN, "from_host", "method", "header")
    typed = [name for name in unused if options.replay and getattr(options, name) != getattr(Options(), name)]
    if typed:
        raise InputError(
            f"{OPTIONS[typed[0]].typed} has no effect with --replay",
            found="a bundle holds its request and what its hosts have said",
            do="Leave it out, or trace the URL anew without --replay.",
        )


def _replayed(name: str, request: Request) -> Evidence:
    path = expanded(name)
    try:
        evidence = load(path.read_bytes(), name)
    except OSError as error:
        raise InputError(f"{name} can't be read", found=error.strerror or str(error), do="Name a file.") from None
    if (evidence.sent.host, evidence.sent.path) != (request.host, request.path):
        was = f"{evidence.sent.scheme}://{evidence.sent.host}{evidence.sent.path}"
        raise InputError(f"{name} is a trace of {was}", do=f"Replay it with that URL: trace {was} --replay {name}")
    return evidence


def _save(path: Path, text: bytes) -> None:
    """For the owner alone: addresses and configurations are nobody else's business."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(text)
    except OSError as error:
        raise InputError(f"{path} can't be written", found=error.strerror or "", do="Name another file.") from None


def _hosts(evidence: Evidence) -> dict[str, Any]:
    why = {unasked.location: unasked.why for unasked in evidence.unasked}
    return {host.name: {"status": "unreachable" if host.name in why else "ok"} for host in evidence.site.hosts}


def _described(done: Traced) -> dict[str, Any]:
    """The object `trace` of --json, version 1."""
    verdict = done.verdict
    return {
        "version": 1,
        "answered": verdict.answered,
        "sentence": verdict.sentence,
        "findings": [
            {
                **{name: getattr(one, name) for name in ("hop", "cause", "where", "sentence", "do", "latent")},
                "proof": [{"location": p.location, "question": p.question, "line": p.line} for p in one.proof],
            }
            for one in verdict.findings
        ],
        "not_this": [{"hop": one.hop, "because": one.because} for one in verdict.not_this],
        "unasked": [{"location": one.location, "why": one.why} for one in verdict.unasked],
        "since": done.since,
        "changed": [msgspec.to_builtins(one) for one in done.changed],
        "seconds": round(done.seconds, 2),
    }
