"""Variables of nginx have the values that the request and the maps give them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from urltrace.nginx.syntax import parse_dump
from urltrace.nginx.variables import substituted

if TYPE_CHECKING:
    from collections.abc import Mapping

# as role edge has them; then a loop, and a map with a text that is more than its pattern
MAIN = parse_dump(
    """# configuration file /etc/nginx/nginx.conf:
http {
    map $request $asked { "~^[A-Z]+ https?://([^/?# ]+)" $1; default $http_host; }
    map $asked $asked_port { "~:([0-9]+)$" $1; default ""; }
    map $asked_port $colon_port { "" ""; default :$asked_port; }
    map $a $b { default $a; }
    map $b $a { default $b; }
    map $http_host $kind { ~^x other; X.od.com ours; ~*^Y\\. folded; "~[[:alpha:]]" unlike; }
}
"""
)
PLAIN = {"request": "GET / HTTP/1.1", "host": "x.od.com", "http_host": "x.od.com"}
PORT = {**PLAIN, "http_host": "x.od.com:8080"}
ABSOLUTE = {**PLAIN, "request": "GET http://x.od.com:90/ HTTP/1.1"}


@pytest.mark.parametrize(
    ("text", "known", "value"),
    [
        ("$host$colon_port", PLAIN, "x.od.com"),
        ("${host}$colon_port", PORT, "x.od.com:8080"),
        ("$host$colon_port", ABSOLUTE, "x.od.com:90"),
        ("fixed", {}, "fixed"),
        ("$unknown", PLAIN, None),
        ("$a", PLAIN, None),
        ("$kind", PLAIN, "ours"),  # a text wins over every pattern
        ("$kind", {"http_host": "xx"}, "other"),
        ("$kind", {"http_host": "y.od.com"}, "folded"),
        ("$kind", {"http_host": "z"}, None),  # Python reads that pattern differently
    ],
)
def test_a_value_is_what_nginx_makes_of_it(text: str, known: Mapping[str, str], value: str | None) -> None:
    assert substituted(text, known, MAIN) == value


@given(st.text("${}hostab_1 .", max_size=20))
def test_any_text_has_a_value_or_none(text: str) -> None:
    assert isinstance(substituted(text, PLAIN, MAIN), str | None)
