"""Inventories that are programs: what they print, and what is no inventory."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from provision.errors import InputError
from provision.inventory import Inventory
from provision.inventory.sources import open_source
from provision.inventory.vault import Password, Vault
from tests.unit.vaults import encrypted

VAULT = Vault([Password("default", "a file", lambda: b"pass")])


def load(folder: Path, printed: str) -> Inventory:
    """What a program is as an inventory that prints this, whatever it is asked."""
    (folder / "printed").write_text(printed)
    program = folder / "program"
    program.write_text('#!/bin/sh\ncat "$(dirname "$0")/printed"\n')
    program.chmod(0o755)
    return Inventory.load([open_source(program, folder, VAULT, programs=True)], cwd=folder)


def test_variables_of_a_program_name_it_as_their_place(tmp_path: Path) -> None:
    values = {"a": 1, "deep": {"b": [2]}}
    host = load(tmp_path, json.dumps({"g": ["h1"], "_meta": {"hostvars": {"h1": values}}})).host("h1")
    assert (host.var("a"), host.origin("a")) == (1, "program")
    assert (host.origin("deep", "b", 0), host.origin("deep", "c"), host.origin("nope")) == ("program", "", "")


def test_what_is_marked_as_secret_or_unsafe_stays_so(tmp_path: Path) -> None:
    values = {"p": {"__ansible_vault": encrypted("opened")}, "q": {"__ansible_unsafe": "{{ nope }}"}}
    host = load(tmp_path, json.dumps({"g": ["h1"], "_meta": {"hostvars": {"h1": values}}})).host("h1")
    assert host.var("p") == "opened"
    assert str(host.vars["p"]) == "opened"
    assert "opened" not in repr(host.vars["p"])
    assert host.var("q") == "{{ nope }}"


@pytest.mark.parametrize(
    ("printed", "words"),
    [
        ("x", "not JSON"),
        ("[]", "no object"),
        ('{"g": ' + "[" * 900 + "]" * 900 + "}", "nested without end"),
        ('{"g": ["h1"], "_meta": {"hostvars": {"h1": {"a": "\\ud800"}}}}', "surrogate"),
        ('{"g": ["h\\u0000"]}', "no program can be asked for the host 'h '"),
        ('{"g": {"hosts": "h1"}}', "'hosts' of the group 'g' is no list of names"),
        ('{"g": ["h1"], "_meta": {"hostvars": {"h1": {"inventory_dir": 1}}}}', "'inventory_dir' can't be set"),
    ],
)
def test_what_no_inventory_is_names_the_program(tmp_path: Path, printed: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        load(tmp_path, printed)
    assert str(caught.value).startswith("program: ")
    assert words in str(caught.value)
