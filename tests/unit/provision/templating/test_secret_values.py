"""What is made with a secret is one, whatever a template does with it, and its text is the real one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment

from provision.errors import InputError
from provision.inventory import Inventory
from provision.inventory.vault import Password, Vault
from provision.secret import HIDDEN, Secret
from provision.templating.filters import FILTERS
from tests.unit.vaults import value

Write = Callable[[Mapping[str, str]], Path]
WORD = "hunter2-hunter2"


def asked(write: Write, text: str) -> Any:
    files = {"hosts.yml": "all: {hosts: {h1: , h2: }}", "group_vars/all/vault.yml": f"word: {value(WORD)}\n"}
    files["group_vars/all/plain.yml"] = (
        f'listed: ["{{{{ word }}}}", open]\nnamed: {{a: "{{{{ word }}}}"}}\nasked: {text}\n'
    )
    vault = Vault([Password("default", "the password", b"pass".strip)])
    return Inventory.load([write(files)], vault=vault).host("h1").var("asked")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"{{ word }}"', WORD),
        ('"x{{ word }}"', f"x{WORD}"),
        ('"x{{ [word] }}"', f"x['{WORD}']"),
        ('"x{{ named }}"', f"x{{'a': '{WORD}'}}"),
        ("\"{{ listed ~ '' }}\"", f"['{WORD}', 'open']"),
        ("\"{{ listed | join(',') }}\"", f"{WORD},open"),
        ('"{{ listed | string }}"', f"['{WORD}', 'open']"),
        ('"{{ named | to_nice_yaml }}"', f"a: {WORD}\n"),
        ('"{{ named | to_json }}"', f'{{"a": "{WORD}"}}'),
        ("\"{{ lookup('vars', 'named').a }}\"", WORD),
        ('"{{ hostvars.h2.named.a | upper }}"', WORD.upper()),
        ("\"{{ ['a'] | map('extract', named) | first }}\"", WORD),
        ('"{{ vars.word[:6] }}"', WORD[:6]),
        ("\"{% set x = word %}{{ x | regex_replace('-.*') }}\"", "hunter2"),
        ("\"{{ listed | map('length') | list }}\"", [len(WORD), 4]),
    ],
)
def test_a_value_made_with_a_secret_is_a_secret(write: Write, text: str, expected: Any) -> None:
    found = asked(write, text)
    assert found == expected
    assert isinstance(found, Secret) or all(isinstance(each, Secret) for each in found)


def test_a_value_that_leaves_the_secret_alone_is_none(write: Write) -> None:
    assert not isinstance(asked(write, '"{{ listed[1] }}"'), Secret)
    assert not isinstance(asked(write, '"{{ listed | length }}{{ nope | default(named) | length }}"'), Secret)


def evaluated(write: Write, text: str) -> Any:
    """What the text gives, or the message that it fails with."""
    try:
        return asked(write, text)
    except InputError as error:
        return str(error)


@pytest.mark.parametrize("name", sorted({*FILTERS, *Environment().filters} - {"permutations"}))
def test_no_filter_shows_a_secret(write: Write, name: str) -> None:
    for subject in ("word", "[word, word]", "{'key': word, 'value': word}"):
        found = evaluated(write, f'"{{{{ {subject} | {name} }}}}"')
        assert WORD not in repr(found)
        assert HIDDEN not in str(found) or not isinstance(found, Secret)
