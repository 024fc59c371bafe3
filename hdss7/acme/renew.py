"""`certs.renew`, and what `deploy` does last: a certificate that is due is brought, and put on the edges."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec

from hdss7.acme.site import Acme, acme
from hdss7.options import Options
from hdss7.project import open_project
from hdss7.report.text import paragraphs
from provision.decoding import decode
from provision.errors import Exit, InputError, ProvisionError, worst
from provision.project import Project, Selection
from provision.usage import usage


def renew(options: Options) -> int:
    """Order the certificate if it is due, and put it on the edges."""
    from hdss7.deploy import deploy

    opened = open_project(options)
    found = acme(opened.project, options.selection())
    if found is None:
        raise InputError(
            "no certificate of this site comes from an ACME server",
            do=f"Set edge.tls.source to acme, or deploy: {usage('deploy')} renews all others",
        )
    opened.check_up()
    _bring(found, options)
    return deploy(replace(options, tags=("edge",)))


def due(project: Project, selection: Selection, hosts: Sequence[str]) -> Acme | None:
    """What this deploy has to bring when all else is done; None where nothing is due, or where not all is deployed."""
    found = acme(project, selection) if selection.everything else None
    return found if found and found.first.name in hosts and found.why(datetime.now(UTC)) else None


def last(found: Acme, options: Options, deploy: Callable[[Options], int], first: Callable[[], int]) -> int:
    """A deploy, an order, and a deploy of what it brought. With --json all of it is one object."""
    said, error = [io.StringIO(), io.StringIO()], None
    with redirect_stdout(said[0] if options.json else sys.stdout):
        code = first()
    if code == Exit.OK:
        try:
            _bring(found, options)
        except ProvisionError as refused:
            code, error = refused.exit, refused
            print(*paragraphs([refused.explanation]), sep="\n", file=sys.stderr)
        else:
            with redirect_stdout(said[1] if options.json else sys.stdout):
                code = deploy(replace(options, tags=("edge",), plan=None, prune=False))
    if options.json:
        print(_joined([text.getvalue() for text in said if text.getvalue()], code, error))
    return code


def _bring(found: Acme, options: Options) -> None:
    now, out = datetime.now(UTC), sys.stderr if options.json else sys.stdout
    why = found.why(now)
    names = ", ".join(found.wanted.names)
    print(f"acme: {names}: {f'{why}: {found.bring(now)}' if why else 'not due'}", file=out, flush=True)


def _joined(documents: Sequence[str], code: int, error: ProvisionError | None) -> str:
    """One object of two runs: what either changed, and how the last of them found each host."""
    first, *more = (decode(each, dict[str, Any]) for each in documents)
    for document in more:
        for name, host in document["hosts"].items():
            before = first["hosts"].get(name, {"changes": [], "connections": 0, "execs": 0, "seconds": 0.0})
            counted = {key: before[key] + host[key] for key in ("changes", "connections", "execs", "seconds")}
            changed = host["status"] == "ok" and bool(counted["changes"])
            first["hosts"][name] = {**host, **counted, **({"status": "changed"} if changed else {})}
    described = error.explanation.as_dict() if error else first["error"]
    return msgspec.json.encode({**first, "error": described, "exit": worst([Exit(code)])}).decode()
