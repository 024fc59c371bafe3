"""Variables with Jinja in them: evaluated when used, and told where they are wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from provision.errors import InputError
from provision.inventory import Inventory

Write = Callable[[Mapping[str, str]], Path]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('"{{ number }}"', 82),
        ('"{{ number + 1 }}"', 83),
        ("\"{{ '82' }}\"", "82"),
        ('"{{ number }}{{ number }}"', "8282"),
        ('"{{ names }}"', ["x", "y"]),
        ("\"{{ names | map('upper') }}\"", ["X", "Y"]),
        ('"{{ tree.leaf }}-{{ inventory_hostname_short }}"', "82-h1"),
        ('"{{ tree }}"', {"leaf": 82}),
        ('["{{ number }}", {"k": "{{ names[0] }}"}]', [82, {"k": "x"}]),
        ("\"{{ hostvars['h2.lan'].mine }}\"", "h2.lan"),
        ("\"{{ groups.all | join(',') }}\"", "h1.lan,h2.lan"),
        ('"{{ missing | default(5) }}"', 5),
        ('"{% if number > 5 %}big{% endif %}"', "big"),
        ("\"{{ 'yes' | bool }}\"", True),
        ("\"{{ {'a': 1} | combine({'b': 2}) }}\"", {"a": 1, "b": 2}),
        ("|\n  {{ number }}\n", 82),
        ("|\n  {{ 'text' }}\n", "text\n"),
    ],
)
def test_a_variable_may_hold_jinja(write: Write, text: str, value: object) -> None:
    folder = write(
        {
            "hosts.yml": "all: {hosts: {h1.lan: , h2.lan: }}",
            "group_vars/all/known.yml": 'number: 82\nnames: [x, y]\ntree: {leaf: "{{ number }}"}\n'
            'mine: "{{ inventory_hostname }}"\n',
        }
    )
    (folder / "group_vars/all/asked.yml").write_text(f"asked: {text}\n")
    found = Inventory.load([folder]).host("h1.lan").var("asked")
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            'x: "{{ y }}"\ny: "{{ z.a }}"\nz: {a: "{{ x }}"}',
            ["'x' needs itself", "x (vars.yml:1)", "→ z.a (vars.yml:3) →"],
        ),
        ('x: "{{ domian }}"\ndomain: od.com', ["vars.yml:1", "'domian' is not set", "Did you mean 'domain'?"]),
        ('x: "{{ s.domian }}"\ns: {domain: "{{ 1 }}"}', ["'domian' is not set", "Did you mean 'domain'?"]),
        ('x: "{{ 1 + }}"', ["vars.yml:1", "x"]),
        ('x: "{{ [1] | frist }}"', ["vars.yml:1", "frist"]),
        ("x: \"{{ 1 + 'a' }}\"", ["vars.yml:1", "TypeError"]),
    ],
)
def test_jinja_that_cannot_be_evaluated_is_told_with_its_line(write: Write, text: str, words: list[str]) -> None:
    folder = write({"hosts.yml": "all: {hosts: {h1: }}"})
    (folder / "vars.yml").write_text(text)
    inventory = Inventory.load([folder / "hosts.yml"], ["@vars.yml"], cwd=folder)
    with pytest.raises(InputError) as caught:
        inventory.host("h1").var("x")
    for word in ["h1", *words]:
        assert word in str(caught.value)


def test_a_broken_variable_that_nobody_uses_harms_nobody(write: Write) -> None:
    inventory = Inventory.load([write({"hosts.yml": 'all: {vars: {bad: "{{ nope }}", good: 1}, hosts: {h1: }}'})])
    assert inventory.host("h1").var("good") == 1


def test_a_variable_that_is_another_hosts_gives_what_is_asked_of_it(write: Write) -> None:
    first = {"peer": "{{ hostvars.h2 }}", "ok": "{{ peer.size | d('none') }}", "bad": "{{ peer.wrong }}"}
    hosts = {"h1": first, "h2": {"size": 5, "wrong": "{{ nope }}"}}
    host = Inventory.load([write({"hosts.yml": json.dumps({"all": {"hosts": hosts}}, indent=1)})]).host("h1")
    assert host.var("ok") == 5
    with pytest.raises(
        InputError, match=r"h2, .*hosts.yml:\d+: the variable 'wrong' can't be evaluated. 'nope' is not"
    ):
        host.var("bad")


def test_what_a_template_changes_is_seen_by_no_other(write: Write) -> None:
    values = {"list": "{{ [[1]] }}", "more": "{% set _ = list[0].append(2) %}{{ list }}", "after": "{{ [more, list] }}"}
    host = Inventory.load([write({"hosts.yml": json.dumps({"all": {"hosts": {"h1": values}}})})]).host("h1")
    assert host.var("after") == [[[1, 2]], [[1]]]


def test_a_variable_that_is_all_variables_is_refused_as_a_value(write: Write) -> None:
    values = {"me": "{{ hostvars.h1 }}", "whole": "{{ me }}", "part": "{{ me.size }}", "size": 1}
    host = Inventory.load([write({"hosts.yml": json.dumps({"all": {"hosts": {"h1": values}}})})]).host("h1")
    assert host.var("part") == 1
    for name in ("me", "whole"):
        with pytest.raises(InputError, match=r"needs itself|holds itself"):
            host.var(name)
