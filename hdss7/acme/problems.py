"""Why an order failed: the server's problem document, or what kept the server from being asked, in one line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import requests
from acme import errors, messages
from josepy.errors import Error as JoseError

from hdss7.acme.order import UnprovableError

FAILURES = (errors.Error, messages.Error, requests.RequestException, JoseError, UnprovableError, ValueError, KeyError)
PATIENCE = timedelta(hours=1)  # where the server says nothing: public ones count five failures an hour
LONGEST = timedelta(days=7)  # the longest limit of public servers counts a week
_PREFIX = "urn:ietf:params:acme:error:"


@dataclass(frozen=True)
class Problem:
    """type: of the problem document, without what all have in common; '' where there is none. detail: in its words.

    again: when the same order may be tried again; None: at any time, for the server has counted nothing.
    """

    type: str
    detail: str
    again: datetime | None

    def __str__(self) -> str:
        return f"{self.type}: {self.detail}" if self.type else self.detail


def problem(error: Exception, retry_after: str, now: datetime) -> Problem:
    """What one of FAILURES means. retry_after: the header of the answer that it came with."""
    if isinstance(error, requests.RequestException):
        return Problem("", _line(_innermost(error)), None)
    if isinstance(error, errors.ValidationError):
        failed = [_described(authorization) for authorization in error.failed_authzrs]
        return Problem(failed[0][0], "; ".join(text for _, text in failed), later(retry_after, now))
    if isinstance(error, errors.IssuanceError):
        error = error.error
    if isinstance(error, messages.Error):
        said = " ".join((error.detail or error.title or "no detail", *_parts(error)))
        return Problem(str(error.typ or "").removeprefix(_PREFIX), _line(said), later(retry_after, now))
    if isinstance(error, errors.TimeoutError):
        return Problem("", "The server did not decide in time", later(retry_after, now))
    if isinstance(error, UnprovableError):
        return Problem("", f"The server offers no challenge dns-01 for {error}", later(retry_after, now))
    return Problem("", f"It did not answer as an ACME server does ({_line(error)})", None)


def later(retry_after: str, now: datetime) -> datetime:
    """When to try again: a number of seconds or a date of HTTP, else in an hour; a week at most."""
    if retry_after.strip().isdecimal() and len(retry_after) < 10:
        found = now + timedelta(seconds=int(retry_after))
    else:
        try:
            found = parsedate_to_datetime(retry_after)
        except ValueError:
            found = now + PATIENCE
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    return min(max(found, now), now + LONGEST)


def _described(authorization: messages.AuthorizationResource) -> tuple[str, str]:
    name = authorization.body.identifier.value
    for each in authorization.body.challenges:
        if each.error is not None:
            return str(each.error.typ or "").removeprefix(_PREFIX), f"{name}: {_line(each.error.detail)}"
    return "", f"{name} was not proven"


def _parts(error: messages.Error) -> Iterator[str]:
    for each in error.subproblems or ():
        of = f"{each.identifier.value}: " if each.identifier else ""
        yield f"({of}{each.detail})"


def _innermost(error: BaseException) -> BaseException:
    """requests and urllib3 wrap the reason that a person can act on."""
    inner = getattr(error, "reason", None) or next((each for each in error.args if isinstance(each, Exception)), None)
    return _innermost(inner) if isinstance(inner, BaseException) else error


def _line(text: object) -> str:
    """As one line of printable characters: a server's words reach a terminal."""
    return "".join(each if each.isprintable() else " " for each in " ".join(str(text).split()))[:500]
