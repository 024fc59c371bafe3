"""`trace URL`: asks every hop of the path, and says which is at fault, by what evidence, and what to do."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import yaml

from hdss7.options import Options
from hdss7.project import open_project
from hdss7.tracing import traced
from provision.errors import InputError
from provision.home import expanded
from provision.spelling import suggestion
from provision.verify.context import Context
from urltrace.evidence import Evidence, dump, load
from urltrace.kubernetes.objects import Objects, read_objects
from urltrace.request import Request, parse_request
from urltrace.summary import foretold, summary
from urltrace.verdict import Verdict, judge
from urltrace.view import View


def trace(options: Options) -> int:
    """Say why a URL does not answer, or that it does. Returns the exit code."""
    request = parse_request(options.url or "", options.method or "GET", options.header)
    began = time.monotonic()
    evidence = _replayed(options.replay, request) if options.replay else _asked(options, request)
    verdict = judge(evidence)
    if options.bundle:
        _save(expanded(options.bundle), dump(evidence))
    out = sys.stderr if options.json else sys.stdout
    lines = summary(evidence, verdict, verbose=options.verbose > 0)
    if options.with_file:
        lines += foretold(View(evidence), _change(options.with_file))
    for line in lines:
        print(line, file=out)
    sys.stdout.flush()
    if options.json:
        from hdss7.report.json import encode

        print(encode(_hosts(evidence), None, verdict.exit, trace=_described(verdict, time.monotonic() - began)))
    return verdict.exit


def _asked(options: Options, request: Request) -> Evidence:
    opened = open_project(options)
    context = Context(opened.project, options.selection())
    if options.from_host and options.from_host not in {host.name for host in context.hosts}:
        names = [host.name for host in context.hosts]
        do = suggestion(options.from_host, names) or f"Name one of {', '.join(names)}"
        raise InputError(f"--from {options.from_host} is no host that a play is about", do=do)
    opened.check_up()
    return traced(opened.project, context, request, options.from_host or "")


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


def _change(name: str) -> Objects:
    """The objects of a file of manifests."""
    try:
        return read_objects(yaml.safe_load_all(expanded(name).read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, msgspec.ValidationError) as error:
        found = error.strerror or "" if isinstance(error, OSError) else str(error)
        raise InputError(f"{name} can't be read", found=found, do="Name a file of manifests.") from None


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


def _described(verdict: Verdict, seconds: float) -> dict[str, Any]:
    """The object `trace` of --json, version 1."""
    found = (*((verdict.fault,) if verdict.fault else ()), *verdict.others, *verdict.latent)
    return {
        "version": 1,
        "answered": verdict.answered,
        "sentence": verdict.sentence,
        "findings": [
            {
                **{name: getattr(one, name) for name in ("hop", "cause", "where", "sentence", "do", "latent")},
                "proof": [{"location": p.location, "question": p.question, "line": p.line} for p in one.proof],
            }
            for one in found
        ],
        "not_this": [{"hop": one.hop, "because": one.because} for one in verdict.not_this],
        "unasked": [{"location": one.location, "why": one.why} for one in verdict.unasked],
        "seconds": round(seconds, 2),
    }
