"""No string that an inventory can set becomes source: each is refused with its setting's name, or is of a type that is
quoted where it is written. tests/lab/elsewhere is deployed with what is accepted."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import msgspec
import pytest

from provision.errors import InputError
from provision.inventory import Inventory, types
from provision.inventory.settings import bind
from tests.unit.conftest import Write
from tests.unit.provision.inventory.test_types import LEAVES, settings

HOSTILE = (
    "x$(touch /tmp/p)", "`touch /tmp/p`", "x; touch /tmp/p", "x && touch /tmp/p", "x | sh", "x > /tmp/p", "it's",
    'a"b', "two\nlines", "carriage\rreturn", "a b", " x", "x ", "x}", "{ x", "x; }; evil {", "{{ x }}", "{% x %}",
    "%s", "%(ENV_HOME)s", "\\", "\\n", "-x", "--x", "#x", "x: y", "[x", "*", "?", "~root", "!x", "&x", "\x00",
    "\x1b[31m", "\u2028",
)  # fmt: skip
# Quoted for the language of the file that they go into, or never sent to a host; Any is written as JSON.
CARRIED = (types.FlagValue, types.Argument, types.OptionalLocalPath, types.Password, types.Text, Any)
# What a type takes of these: no shell reads it, and in its place it is only a word.
HARMLESS = {
    "bind.records.(key)": ["*"],
    "bind.host_records.(key)": ["*"],
    "base.sysctls.*": ["x | sh", "a b", "%s", "-x", "--x", "x: y"],
}
REFUSING = [(path, kind) for path, kind in LEAVES if kind not in CARRIED]
SETTINGS = dict(settings())


def accepted(kind: Any) -> list[str]:
    """The hostile strings that a type takes."""
    found = []
    for value in HOSTILE:
        with suppress(msgspec.ValidationError):
            found.append(msgspec.convert(value, kind))
    return found


def holding(path: tuple[str, ...], value: str) -> Any:
    """Variables in which the setting of that path is `value`."""
    if not path:
        return value
    name, *rest = path
    if name == "(key)":
        return {value: ""}
    inside = holding(tuple(rest), value)
    return [inside] if name == "*" else {name: inside}


def test_no_type_takes_what_could_be_source() -> None:
    taken = {".".join(path): accepted(kind) for path, kind in REFUSING}
    assert {path: values for path, values in taken.items() if values} == HARMLESS


@pytest.mark.parametrize("path", [path for path, _ in REFUSING], ids=".".join)
def test_an_error_names_the_setting_and_its_line(path: tuple[str, ...], write: Write) -> None:
    if path[1] == "*":  # of a role whose settings are a mapping
        path = (path[0], "shop", *path[2:])
    variables = json.dumps(holding(path, HOSTILE[0]))
    written = write({"hosts.yml": f"all:\n  hosts:\n    h1:\n  vars: {variables}\n"})
    host = Inventory.load([written / "hosts.yml"]).host("h1")
    with pytest.raises(InputError) as error:
        bind(SETTINGS[path[0]], host, path[0])
    assert ".".join(path[:2]).removesuffix(".(key)") in str(error.value)
    assert "hosts.yml:4" in str(error.value)


@pytest.mark.parametrize("value", HOSTILE, ids=ascii)
@pytest.mark.parametrize("written", ["{%s: {}}", "{h1: {ansible_host: %s}}"])
def test_names_and_addresses_of_hosts_are_checked(written: str, value: str, write: Write) -> None:
    text = "all: {hosts: " + written % json.dumps(value) + "}\n"
    with pytest.raises(InputError) as error:
        print(Inventory.load([write({"hosts.yml": text}) / "hosts.yml"]).host("h1").address)
    assert "hosts.yml:1" in str(error.value)
