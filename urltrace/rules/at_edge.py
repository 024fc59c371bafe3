"""What each edge answered, as clients get it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from urltrace.evidence import OUTSIDE, Answer, Host
from urltrace.exchange import Exchange
from urltrace.finding import Proof, proof, proof_of
from urltrace.view import View

RECENT = 20  # seconds


def asked(view: View) -> Iterator[tuple[Host, Exchange]]:
    for edge in view.site.edges:
        found = view.exchange("edge", f"{edge.address}:{view.request.port}", OUTSIDE)
        if found:
            yield edge, found


def from_outside(view: View, name: str) -> Exchange | None:
    return next((found for edge, found in asked(view) if edge.name == name), None)


def log_lines(view: View, name: str) -> list[str]:
    """What the error log of an edge's nginx says of the last seconds; all of it where the host's time is not known."""
    log = view.evidence.answer("log nginx", name)
    lines = log.output.splitlines() if log else []
    if not lines or not lines[-1].endswith(" now"):
        return lines
    now = _time(lines[-1])
    return [line for line in lines[:-1] if now and (at := _time(line)) and (now - at).total_seconds() <= RECENT]


def _time(line: str) -> datetime | None:
    try:
        return datetime.strptime(line[:19], "%Y/%m/%d %H:%M:%S")
    except ValueError:
        return None


def gave_up(view: View, name: str) -> bool:
    found = from_outside(view, name)
    if found is None or found.outcome == "silent":
        return found is not None
    return (found.by_nginx and found.status in (502, 504)) or (found.by_haproxy and found.status in (502, 503, 504))


def listens(answer: Answer, port: int) -> bool:
    """Whether something listens on a port, by the host's own list."""
    return bool(re.search(rf":{port}\s", answer.output))


def failed(view: View, name: str) -> bool:
    found = from_outside(view, name)
    return found is not None and not found.ok


def whole(view: View, name: str) -> tuple[Proof, ...]:
    """What a client gets, and what the edge has written of it."""
    log = view.evidence.answer("log access", name)
    return (*proof_of(from_outside(view, name)), *(proof(log) if log and log.output else ()))
