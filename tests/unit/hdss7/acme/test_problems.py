"""What a server's refusal becomes: its type and detail in one line, and when to try again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import requests
from acme import errors, messages
from hypothesis import given
from hypothesis import strategies as st
from urllib3.exceptions import MaxRetryError, NewConnectionError

from hdss7.acme.order import UnprovableError
from hdss7.acme.problems import LONGEST, PATIENCE, later, problem

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
LIMITED = messages.Error.from_json({"type": "urn:ietf:params:acme:error:rateLimited", "detail": "too\nmany\x1b[31m"})
DENIED = messages.Error.from_json(
    {
        "type": "urn:ietf:params:acme:error:rejectedIdentifier",
        "detail": "some were refused",
        "subproblems": [
            {
                "type": "urn:ietf:params:acme:error:rejectedIdentifier",
                "detail": "not yours",
                "identifier": {"type": "dns", "value": "a.od.com"},
            }
        ],
    }
)
REFUSED = requests.ConnectionError(MaxRetryError(None, "/dir", NewConnectionError(None, "Connection refused")))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (LIMITED, "rateLimited: too many [31m"),
        (DENIED, "rejectedIdentifier: some were refused (a.od.com: not yours)"),
        (errors.IssuanceError(LIMITED), "rateLimited: too many [31m"),
        (errors.TimeoutError(), "The server did not decide in time"),
        (UnprovableError("od.com"), "The server offers no challenge dns-01 for od.com"),
        (KeyError("newAccount"), "It did not answer as an ACME server does ('newAccount')"),
    ],
)
def test_a_refusal_is_one_line(error: Exception, said: str) -> None:
    assert str(problem(error, "", NOW)) == said


def test_what_no_server_has_counted_may_be_tried_at_once() -> None:
    found = problem(REFUSED, "", NOW)
    assert found.again is None
    assert "Connection refused" in found.detail


@pytest.mark.parametrize(
    ("header", "after"),
    [
        ("7200", timedelta(hours=2)),
        ("Wed, 25 Nov 2026 15:00:00 GMT", timedelta(hours=3)),
        ("Wed, 25 Nov 2020 15:00:00 GMT", timedelta()),
        ("", PATIENCE),
        ("soon", PATIENCE),
        ("99999999", LONGEST),
        ("9" * 400, PATIENCE),
    ],
)
def test_the_server_says_when_to_try_again(header: str, after: timedelta) -> None:
    assert later(header, NOW) == NOW + after


@given(st.text())
def test_no_header_makes_it_fail(header: str) -> None:
    assert NOW <= later(header, NOW) <= NOW + LONGEST
