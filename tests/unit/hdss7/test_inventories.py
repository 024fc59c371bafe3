"""What a command makes of the inventories that were named: which are read, run or refused, and what it says of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from hdss7 import inspect
from hdss7.options import Options
from hdss7.project import open_project
from provision.errors import InputError

Write = Callable[[Mapping[str, str]], Path]
PLAYS = "- {name: one, hosts: edge, roles: [edge]}\n"
IDLE = "all: {hosts: {h1: {ansible_shell_type: fish, ansible_winrm_port: 1, ansible_foo: 1, ansible_bar: 2}}}\n"


@pytest.fixture
def project(write: Write, monkeypatch: pytest.MonkeyPatch) -> Callable[[Mapping[str, str]], Path]:
    """Makes a project of these files and goes there."""

    def project(files: Mapping[str, str]) -> Path:
        folder = write({"site.yml": PLAYS, **files})
        monkeypatch.chdir(folder)
        return folder

    return project


def shown(capsys: pytest.CaptureFixture[str], *inventory: str) -> dict[str, Any]:
    """What `hosts --json` prints of the hosts."""
    assert inspect.hosts(Options(inventory=inventory, json=True)) == 0
    hosts: dict[str, Any] = json.loads(capsys.readouterr().out)["hosts"]
    return hosts


def test_variables_beside_the_plays_count(project: Write, capsys: pytest.CaptureFixture[str]) -> None:
    files = {"group_vars/all.yml": "color: plays\nplace: '{{ playbook_dir }}'\n", "host_vars/h1.yml": "size: 1\n"}
    folder = project(
        {**files, "inventory/hosts": "h1 color=line\nh2\n", "inventory/group_vars/all.yml": "color: own\n"}
    )
    found = shown(capsys, "inventory")
    assert found["h2"]["variables"] == {"color": "plays", "place": str(folder)}
    assert found["h1"]["variables"] == {"color": "line", "place": str(folder), "size": 1}


def test_hosts_on_the_command_line_are_an_inventory(project: Write, capsys: pytest.CaptureFixture[str]) -> None:
    project({})
    assert list(shown(capsys, "h1,10.0.0.1:2222,")) == ["h1", "10.0.0.1"]


def test_a_program_is_run_only_when_that_was_asked_for(project: Write) -> None:
    program = project({"hosts": '#!/bin/sh\necho \'{"edge": {"hosts": ["made"]}}\'\n'}) / "hosts"
    program.chmod(0o755)
    with pytest.raises(InputError, match="Run it with --run-inventory-programs"):
        open_project(Options(inventory=("hosts",)))
    opened = open_project(Options(inventory=("hosts",), run_inventory_programs=True))
    assert [host.name for host in opened.project.inventory.hosts] == ["made"]


def test_any_value_that_yaml_has_can_be_shown_as_json(project: Write, capsys: pytest.CaptureFixture[str]) -> None:
    values = "{on: x, null: y, 1.5: z, 2020-01-01: d, raw: !unsafe '{{ x }}', big: 123456789012345678901234, n: .nan}"
    project({"hosts.yml": f"all: {{hosts: {{h1: {{v: {values}}}}}}}\n"})
    assert shown(capsys, "hosts.yml")["h1"]["variables"]["v"] == {
        "true": "x",
        "null": "y",
        "1.5": "z",
        "2020-01-01": "d",
        "raw": "{{ x }}",
        "big": 123456789012345678901234,
        "n": None,
    }


def test_hosts_and_lint_say_what_has_no_effect(project: Write, capsys: pytest.CaptureFixture[str]) -> None:
    project({"hosts.yml": IDLE, "roles/edge.py": "class Settings: pass\ndef edge(host, site, settings): yield\n"})
    inspect.hosts(Options(inventory=("hosts.yml",)))
    assert "note: hosts.yml:1: the variable ansible_shell_type has no effect here" in capsys.readouterr().err
    inspect.lint(Options(inventory=("hosts.yml",)))
    assert "note: hosts.yml:1: the variable ansible_winrm_port has no effect here" in capsys.readouterr().out


def test_a_run_says_how_much_has_no_effect_and_where_to_look(project: Write) -> None:
    project({"hosts.yml": IDLE, "few.yml": "all: {hosts: {h1: {ansible_shell_type: fish}}}\n"})
    many = open_project(Options(inventory=("hosts.yml",))).project.notes(most=3)
    assert many == ("note: 4 things in the inventory have no effect: invoke lint lists them",)
    (one,) = open_project(Options(inventory=("few.yml",))).project.notes(most=3)
    assert one.startswith("note: few.yml:1: the variable ansible_shell_type has no effect here")
