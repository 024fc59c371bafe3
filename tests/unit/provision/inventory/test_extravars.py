"""`--extra-vars` in all its forms."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision.errors import Exit, InputError
from provision.inventory import Inventory
from provision.inventory.extravars import pairs

Write = Callable[[Mapping[str, str]], Path]

SITE = {
    "hosts.yml": "all: {hosts: {h1: }}",
    "group_vars/all.yml": "edge: {domain: od.com, keepalive: 32}\nplain: {a: 1, b: 2}\n",
}


def load(folder: Path, *options: str) -> Inventory:
    return Inventory.load([folder], options, cwd=folder, namespaces=frozenset({"edge"}))


@pytest.mark.parametrize(
    ("options", "variable", "value"),
    [
        (["x=1 y='two words'"], "y", "two words"),
        (["x=a=b"], "x", "a=b"),
        (["x="], "x", ""),
        (["x=1", "x=2"], "x", "2"),
        (['{"x": 1, "y": [2]}'], "x", 1),
        (["@vars/more.yml"], "x", 7),
        (["@vars/more.yml", "x=8"], "x", "8"),
        (["edge.domain=x.org"], "edge", {"domain": "x.org", "keepalive": 32}),
        (['{"edge": {"keepalive": 64}}'], "edge", {"domain": "od.com", "keepalive": 64}),
        (["plain.a=9"], "plain", {"a": "9", "b": 2}),
        (['{"plain": {"a": 9}}'], "plain", {"a": 9}),
        (["'x={{ edge.keepalive }}'"], "x", 32),
    ],
)
def test_extra_variables_are_stronger_than_every_file(
    write: Write, options: list[str], variable: str, value: object
) -> None:
    folder = write({**SITE, "host_vars/h1.yml": "x: file", "vars/more.yml": "x: 7"})
    found = load(folder, *options).host("h1").var(variable)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("x", ["'x' can't be read", "no '='"]),
        ("", ["nothing was given"]),
        ("x='open", ["can't be read", "quotation"]),
        ("=1", ["not a variable's name"]),
        ("a-b=1", ["'a-b' is not a variable's name"]),
        ("a..b=1", ["not a variable's name"]),
        ("@nowhere.yml", ["'@nowhere.yml' can't be read", "no such file", "Write k=v"]),
        ("@.", ["it is a folder"]),
        ("{x: ", ["--extra-vars:", "can't be read", "Write k=v"]),
        ("[1]", ["names with values", "A list was written", "Write k=v"]),
        ("{1: 2}", ["A name in it is no text"]),
        ("inventory_dir=x", ["--extra-vars", "'inventory_dir' can't be set"]),
    ],
)
def test_an_option_that_cannot_be_read_is_told_with_the_right_forms(
    write: Write, option: str, words: list[str]
) -> None:
    with pytest.raises(InputError) as caught:
        load(write(SITE), option)
    assert caught.value.exit == Exit.BAD_INPUT
    for word in words:
        assert word in str(caught.value)


NAMES = st.lists(st.from_regex(r"[a-z_][a-z0-9_]{0,6}", fullmatch=True), min_size=1, max_size=3)


@given(st.lists(st.tuples(NAMES, st.text(max_size=12)), min_size=1, max_size=4))
def test_every_value_that_a_shell_can_quote_arrives_as_it_was(given_pairs: list[tuple[list[str], str]]) -> None:
    text = " ".join(shlex.quote(f"{'.'.join(path)}={value}") for path, value in given_pairs)
    assert pairs(text) == tuple((tuple(path), value) for path, value in given_pairs)


@given(st.text(max_size=30))
def test_no_text_whatever_is_a_traceback(text: str) -> None:
    try:
        assert pairs(text)
    except InputError:
        return
