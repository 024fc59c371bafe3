"""What each edge answered, as clients get it."""

from __future__ import annotations

from collections.abc import Iterator

from urltrace.evidence import OUTSIDE, Host
from urltrace.exchange import Exchange
from urltrace.finding import Proof, proof, proof_of
from urltrace.view import View


def asked(view: View) -> Iterator[tuple[Host, Exchange]]:
    for edge in view.site.edges:
        found = view.exchange("edge", f"{edge.address}:{view.request.port}", OUTSIDE)
        if found:
            yield edge, found


def from_outside(view: View, name: str) -> Exchange | None:
    return next((found for edge, found in asked(view) if edge.name == name), None)


def gave_up(view: View, name: str) -> bool:
    found = from_outside(view, name)
    return found is not None and (found.outcome == "silent" or (found.by_nginx and found.status in (502, 504)))


def failed(view: View, name: str) -> bool:
    found = from_outside(view, name)
    return found is not None and not found.ok


def whole(view: View, name: str) -> tuple[Proof, ...]:
    """What a client gets, and what nginx has written of it."""
    log = view.evidence.answer("log access", name)
    return (*proof_of(from_outside(view, name)), *(proof(log) if log and log.output else ()))
