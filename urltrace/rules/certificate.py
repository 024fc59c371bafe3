"""The edge's certificate: for which names it is, and until when."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from urltrace.evidence import OUTSIDE
from urltrace.finding import Finding, proof
from urltrace.view import View

ENDS = re.compile(r"^notAfter=(.+)$", re.MULTILINE)
BEGINS = re.compile(r"^notBefore=(.+)$", re.MULTILINE)
NAMES = re.compile(r"DNS:([^,\s]+)")
RELOAD = {"nginx": "nginx -t and nginx -s reload", "HAProxy": "systemctl reload haproxy"}
COMMON = re.compile(r"^subject=.*?CN ?= ?([^,/\n]+)", re.MULTILINE)


def unfit(view: View) -> Iterator[Finding]:
    """Clients refuse the certificate."""
    for edge in view.site.edges:
        answer = view.evidence.answer(f"certificate {edge.address}:{view.request.port}", OUTSIDE)
        if not answer or not (ends := ENDS.search(answer.output)):
            continue
        begins = BEGINS.search(answer.output)
        names = NAMES.findall(answer.output) or COMMON.findall(answer.output)
        said = cause = ""
        if certificate_date(ends[1]) < view.now:
            said, cause = f"ended on {ends[1]}", "certificate-date"
        elif begins and certificate_date(begins[1]) > view.now:
            said, cause = f"begins on {begins[1]} only", "certificate-date"
        elif not any(_covers(name, view.request.name) for name in names):
            said, cause = f"is for {', '.join(names) or 'no name'}, not for {view.request.name}", "certificate-name"
        if cause:
            program = view.program(edge.name)
            yield Finding(
                hop="edge",
                cause=cause,
                where=f"the certificate of {edge.name}",
                sentence=f"the certificate of {program} on {edge.name} {said}: clients refuse it",
                do=f"Give {view.request.name} another certificate there, then {RELOAD[program]}",
                proof=proof(answer, next((line for line in answer.output.splitlines() if "notAfter" in line), "")),
            )


def certificate_date(text: str) -> datetime:
    """The time that OpenSSL prints; one that can't be read never comes."""
    try:
        return datetime.strptime(text.strip(), "%b %d %H:%M:%S %Y GMT").replace(tzinfo=UTC)
    except ValueError:
        return datetime.max.replace(tzinfo=UTC)


def _covers(pattern: str, name: str) -> bool:
    """A * stands for one label."""
    pattern, name = pattern.lower(), name.lower()
    return pattern == name or (pattern.startswith("*.") and name.partition(".")[2] == pattern[2:])


RULES = (unfit,)
