"""The text of `nginx -T`, read as nginx reads it, and never with another error than its own."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from urltrace.nginx.choice import choose
from urltrace.nginx.syntax import ConfigurationError, parse_dump, split_dump
from urltrace.nginx.uri import normalized_uri
from urltrace.request import Request

HEAD = "# configuration file /etc/nginx/nginx.conf:\n"


@given(st.text("ab;{}\"'\\ \n#$~*.=/:8server_namelistenlocation", max_size=80))
def test_a_text_is_a_configuration_or_an_error(text: str) -> None:
    with suppress(ConfigurationError):
        choose(parse_dump(f"{HEAD}http {{ server {{ {text} }} }}"), Request("a"))


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=30))
def test_a_uri_is_refused_or_normal(path: str) -> None:
    uri = normalized_uri("/" + path)
    assert uri is None or (uri.startswith("/") and "//" not in uri and "/../" not in uri and "/./" not in uri)


def test_quotes_escapes_and_comments() -> None:
    main = parse_dump(HEAD + 'a \'b c\' "d;e" f\\"g ${h}i \\.j; # k\nl { m; }\n')
    assert [(one.name, one.arguments, one.line) for one in main.block or ()] == [
        ("a", ("b c", "d;e", 'f"g', "${h}i", "\\.j"), 1),
        ("l", (), 2),
    ]


def test_includes_stand_in_their_place() -> None:
    text = HEAD + "include conf.d/*.conf;\nlast;\n\n# configuration file /etc/nginx/conf.d/b.conf:\nb;\n"
    text += "# configuration file /etc/nginx/conf.d/a.conf:\n\na;\n"
    main = parse_dump(text)
    assert [(one.name, one.place) for one in main.block or ()] == [
        ("a", "/etc/nginx/conf.d/a.conf:2"),
        ("b", "/etc/nginx/conf.d/b.conf:1"),
        ("last", "/etc/nginx/nginx.conf:2"),
    ]
    assert len(split_dump(text)) == 3


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "printed no configuration"),
        (HEAD + "a", "nginx.conf:1: 'a' is not ended"),
        (HEAD + "a {\n", "'a' is not closed"),
        (HEAD + "}\n", "unexpected '}'"),
        (HEAD + "a 'b\n", "a quoted value is not closed"),
        (HEAD + "include nginx.conf;\n", "includes go deeper"),
    ],
)
def test_a_broken_text_names_its_line(text: str, error: str) -> None:
    with pytest.raises(ConfigurationError, match=error):
        parse_dump(text)


@pytest.mark.parametrize(
    ("listen", "address", "port", "found"),
    [
        ("80", "10.4.7.11", 80, True),
        ("10.4.7.11:80", "10.4.7.11", 80, True),
        ("10.4.7.11", "10.4.7.12", 80, False),
        ("[::]:80", "10.4.7.11", 80, False),
        ("[::]:80", "fe80::1", 80, True),
        ("8080-8082", "10.4.7.11", 8081, True),
        ("0.0.0.0:80", "10.4.7.11", 80, True),
        ("unix:/run/x", "10.4.7.11", 80, False),
    ],
)
def test_a_listen_takes_what_comes_to_its_address(listen: str, address: str, port: int, found: bool) -> None:
    main = parse_dump(f"{HEAD}http {{ server {{ listen {listen}; }} }}")
    assert bool(choose(main, Request("a"), address, port).server) is found
