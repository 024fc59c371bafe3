"""Asks one host everything at once: one script over its session, every answer."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any

from provision.errors import FailedError
from provision.facts.question import Question, ask
from provision.remote.connection import Session
from provision.remote.protocol import Step

PROBE_TIMEOUT = 180.0  # seconds; an emulated processor, or a busy one, takes its time. Dead hosts are found sooner


def answer(session: Session, asked: Iterable[Question]) -> dict[Question, Any]:
    """One script, every answer. Raises FailedError when the host's answer makes no sense."""
    mark = f"mark-{secrets.token_hex(8)}"
    request = ask(asked, mark)
    if not request.groups:
        return {}
    result = session.run(Step(request.script, timeout=PROBE_TIMEOUT, asks=True))
    try:
        return request.answers(result.output)
    except ValueError as error:
        raise FailedError(
            "could not read the host's state",
            found=f"{error}; {'it took too long' if result.timed_out else result.errors or 'no message'}",
            do="Run again with --verbose; log in and look whether its disk and memory are in order",
        ) from None
