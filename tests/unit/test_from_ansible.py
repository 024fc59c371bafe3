"""docs/from-ansible.md is true, row by row: each row of its tables is tried, and one that is not fails."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from provision import resources
from provision.errors import InputError
from provision.inventory import Inventory
from provision.inventory.sources import open_source
from provision.inventory.vault import Password, Vault
from provision.playbook import plays
from tests.unit.vaults import value

Write = Callable[[Mapping[str, str]], Path]
DOCUMENT = Path(__file__).resolve().parents[2] / "docs/from-ansible.md"
VAULT = Vault([Password("default", "a file", lambda: b"pass")])


def rows(title: str) -> dict[str, str]:
    """The table below a heading of the document: the first cell of each row, and the second."""
    section = DOCUMENT.read_text().split(f"\n## {title}\n")[1]
    section = re.split(r"\n###? ", section)[0]
    cells = [re.split(r"(?<!\\) ?\| ?", line)[1:3] for line in section.splitlines() if line.startswith("| ")]
    return {feature.strip(): answer.strip() for feature, answer in cells[1:]}


@dataclass(frozen=True)
class Try:
    """An inventory, and what it has to give. gives: variables of h1, or hosts of a pattern ('nodes[0]': 'h1 h2').

    sources: its parts, where there are several. says: words of a note. refuses: words of the error.
    """

    files: Mapping[str, str]
    gives: Mapping[str, Any] | None = None
    says: str = ""
    refuses: str = ""
    sources: tuple[str, ...] = ("",)


def hosts(variables: str, name: str = "h1") -> dict[str, str]:
    return {"hosts.yml": f"all: {{hosts: {{{name}: {variables}}}}}\n"}


NODES = "nodes: {hosts: {h1: , h2: , h3: }}\nmasters: {hosts: {h1: , h5: }}\nv6: {hosts: {'2001:db8::1': }}\n"
TREE = (
    "web:\n  hosts: {h1: {a: host}, 'w[01:03]': }\n  vars: {b: web}\ntop: {children: {web: }, vars: {b: top, c: top}}\n"
)
PLACES = {**hosts("{}"), "group_vars/all.yml": "a: 1", "host_vars/h1/x.yml": "b: 2", "play/group_vars/all": "c: 3"}
TRIES: Mapping[str, tuple[Try, ...]] = {
    "`hosts.yml`: groups": (
        Try({"hosts.yml": TREE}, {"a": "host", "b": "web", "c": "top", "group_names": ["top", "web"]}),
        Try({"hosts.yml": TREE}, {"pattern web": "h1 w01 w02 w03"}),
    ),
    "`group_vars/`": (
        Try(PLACES, {"a": 1, "b": 2, "c": 3}),
        Try({"hosts.yml": NODES, "group_vars/ndoes.yml": "a: 1"}, refuses="Did you mean 'nodes'?"),
        Try({"hosts.yml": NODES, "group_vars/edge.yml": "a: 1"}, says="no group of that name"),
    ),
    "several inventories": (Try({"a/x": "h1 v=1 w=1", "b/x": "h1 v=2"}, {"v": 2, "w": 1}, sources=("a", "b")),),
    "precedence": (
        Try({"hosts": "[a]\nh1\n[b]\nh1\n[a:vars]\nansible_group_priority=9\nx=a\n[b:vars]\nx=b\n"}, {"x": "a"}),
        Try({"hosts": "[a]\nh1\n[b]\nh1\n[a:vars]\nx=a\n[b:vars]\nx=b\n"}, {"x": "b"}),
    ),
    "patterns": (
        Try(
            {"hosts.yml": NODES},
            {"pattern nodes:!h2": "h1 h3", "pattern masters:&nodes": "h1", "pattern h*": "h1 h2 h3 h5"},
        ),
        Try({"hosts.yml": NODES}, {"pattern nodes[0]": "h1", "pattern nodes[1:]": "h2 h3", "pattern ~h(1|5)": "h1 h5"}),
        Try({"hosts.yml": NODES}, {"pattern 2001:db8::1": "2001:db8::1", "pattern h3,h1 h2:h5": "h3 h1 h2 h5"}),
        Try({"hosts.yml": NODES}, {"pattern nope": ""}, refuses="no host or group matches"),
    ),
    "`{{ … }}` in variables": (
        Try(
            {"hosts.yml": "g: {hosts: {h1: {a: '{{ hostvars.h2.b }}'}, h2: {b: '{{ groups.g }}'}}}"},
            {"a": ["h1", "h2"], "inventory_hostname": "h1", "group_names": ["g"]},
        ),
    ),
    "filters": (
        Try(
            hosts("{a: '{{ [2, 1] | sort }}', b: \"{{ 'x' | ansible.builtin.b64encode }}\"}"),
            {"a": [1, 2], "b": "eA=="},
        ),
        Try(hosts("{a: '{{ [3, 1] | union([2]) }}'}"), {"a": [3, 1, 2]}),
        *(
            Try(hosts(f"{{a: '{{{{ {text} }}}}'}}"), {"a": 0}, refuses=f"'{name}'")
            for name, text in {
                "password_hash": "1 | password_hash",
                "vault": "1 | vault",
                "unvault": "1 | unvault",
            }.items()
        ),
        Try(hosts("{a: '{{ [1] | random }}'}"), {"a": 0}, refuses="seed"),
        Try(hosts("{a: '{{ [1] | shuffle }}'}"), {"a": 0}, refuses="seed"),
    ),
    "tests after `is`": (
        Try(hosts("{a: \"{{ '1.10' is version('1.9', '>') }}\"}"), {"a": True}),
        Try(hosts("{a: '{{ a is changed }}'}"), {"a": 0}, refuses="no tasks"),
    ),
    "`lookup(…)`": (
        Try({**hosts("{a: \"{{ lookup('file', 'x.txt') }}\"}"), "play/files/x.txt": "text\n"}, {"a": "text"}),
        Try(
            hosts("{a: \"{{ query('sequence', 'end=2') }}\", b: \"{{ lookup('vars', 'c') }}\", c: 1}"),
            {"a": ["1", "2"], "b": 1},
        ),
        Try(hosts("{a: \"{{ lookup('pipe', 'date') }}\"}"), {"a": 0}, refuses="runs a program"),
    ),
    "filters and lookups of collections": (
        Try(hosts("{a: '{{ 1 | community.general.x }}'}"), {"a": 0}, refuses="Write the value out"),
        Try(hosts("{a: '{{ ansible_facts.x }}'}"), {"a": 0}, refuses="set it in the inventory"),
        Try(hosts("{a: '{{ ansible_play_hosts }}'}"), {"a": 0}, refuses="set it in the inventory"),
    ),
    "`default(omit)`": (
        Try(hosts("{a: {b: '{{ nope | default(omit) }}', c: 1}, l: ['{{ omit }}', 2]}"), {"a": {"c": 1}, "l": [2]}),
        Try(hosts("{a: '{{ omit }}'}"), {"a": 0}, refuses="'omit'"),
    ),
    "`ansible_host`": (
        Try(
            hosts("{ansible_host: 10.0.0.1, ansible_port: 2222, ansible_user: me, ansible_ssh_private_key_file: /k}"),
            {".address": "10.0.0.1", ".port": 2222, ".user": "me", ".private_key": Path("/k")},
        ),
        Try(
            hosts("{ansible_password: a, ansible_become: yes, ansible_become_user: u, ansible_become_password: b}"),
            {".password": "a", ".become": True, ".become_user": "u", ".become_password": "b"},
        ),
        Try(
            hosts("{ansible_ssh_timeout: 5, ansible_ssh_host: x, ansible_ssh_pass: p}"),
            {".timeout": 5.0, ".address": "x"},
        ),
    ),
    "`ansible_ssh_common_args`": (
        Try(hosts("{ansible_ssh_common_args: -J u@gate -o ControlPersist=60s}"), {".jumps": "u@gate"}),
        Try(
            hosts("{ansible_ssh_args: '-o ProxyCommand=\"ssh -W %h:%p gate\" -o ServerAliveInterval=5'}"),
            {".jumps": "gate"},
        ),
        Try(hosts("{ansible_ssh_extra_args: -o Tunnel=yes}"), {".jumps": ""}, refuses="~/.ssh/config"),
    ),
    "`ansible_become_method`": (
        Try(hosts("{ansible_become: yes, ansible_become_method: sudo}"), {".become": True}),
        Try(hosts("{ansible_become: yes, ansible_become_method: su}"), {".become": True}, refuses="Only sudo"),
    ),
    "`ansible_connection`": (
        Try(hosts("{ansible_connection: local}"), {".local": True, "members all": "", "members h1": "h1"}),
        Try(hosts("{ansible_connection: docker}"), {"login": ""}, refuses="reached by ssh, or local"),
    ),
    "`localhost`, `127.0.0.1`": (
        Try(hosts("{}"), {"members localhost": "localhost", "pattern 127.0.0.1": "127.0.0.1", "pattern all": "h1"}),
    ),
    "`ansible_host_key_checking`": (
        Try(hosts("{ansible_host_key_checking: no}"), {"login": ""}, refuses="hosts.trust h1"),
        Try(hosts("{ansible_ssh_common_args: -o StrictHostKeyChecking=no}"), {"login": ""}, refuses="hosts.trust h1"),
        Try(
            hosts("{ansible_ssh_common_args: '-o ProxyCommand=\"ssh -o StrictHostKeyChecking=no -W %h:%p g\"'}"),
            {"login": ""},
            refuses="hosts.trust h1",
        ),
    ),
    "`ansible_python_interpreter`": (
        Try(
            hosts("{ansible_python_interpreter: x, ansible_pipelining: 1, ansible_remote_tmp: /x}"),
            {"login": "", "notes": ()},
        ),
    ),
    "other names that begin with": (
        Try(
            hosts("{ansible_shell_type: fish, b: '{{ ansible_shell_type }}'}"),
            {"b": "fish"},
            says="does not change how a host",
        ),
    ),
    "`!vault` values": (Try({"hosts.yml": f"all:\n  hosts:\n    h1:\n      a: {value('opened')}"}, {"a": "opened"}),),
    "INI inventories": (
        Try({"hosts.ini": "[g]\nh1 a=[1]\n"}, {"a": [1]}),
        Try({"hosts": "[g]\nh1 a=1\n"}, {"a": 1}),
        Try({"hosts": "all: {hosts: {h1: {a: 2}}}\n"}, {"a": 2}),
        Try({}, {"pattern all": "h1 h2"}, sources=("h1,h2,",)),
    ),
    "inventory programs": (Try({"run": '#!/bin/sh\necho \'{"g": ["h1"]}\'\n'}, refuses="--run-inventory-programs"),),
    "inventory plugins": (
        Try({"aws_ec2.yml": "plugin: aws_ec2\n"}, refuses="ansible-inventory -i SOURCE --list --export --yaml"),
        Try({"hosts.toml": "[all.hosts]\n"}, refuses="ansible-inventory -i SOURCE --list --export --yaml"),
    ),
    "other files in a folder": (
        Try({**hosts("{}"), "x.py": "import os as x\n"}, says="a Python program"),
        Try({**hosts("{}"), "site.yml": "- hosts: all\n"}, says="a playbook"),
        Try({**hosts("{}"), "LICENSE": "All of it is free.\n"}, says="a licence"),
    ),
    "an inventory without a host": (
        Try({"hosts.yml": "all: {hosts: }\n"}, refuses="there is no host"),
        Try({"hosts.yml": "all: {hosts: {h1: , h1: }}\n"}, refuses="written twice"),
    ),
    "names of hosts": (
        Try(hosts("{a: 1}", "'n.a_b-c:d@e+f=g~h'"), {"pattern all": "n.a_b-c:d@e+f=g~h"}),
        Try(hosts("{a: 1}", "'<host>'"), refuses="can't be used"),
        Try(hosts("{a: 1}", "'h 1'"), refuses="can't be used"),
    ),
}


def given(inventory: Inventory, asked: str) -> Any:
    """What an inventory gives: a variable of h1, `.property` of its login, the hosts of a pattern or of a play."""
    kind, _, pattern = asked.partition(" ")
    if kind in ("pattern", "members"):
        return " ".join(h.name for h in (inventory.select if kind == "pattern" else inventory.members)(pattern))
    if asked == "notes":
        return inventory.notes
    host = inventory.host("h1")
    if asked == "login":
        host.check_login()
        return ""
    if asked == ".jumps":
        return " ".join(map(str, host.jumps))
    return getattr(host, asked[1:]) if asked.startswith(".") else host.var(asked)


def attempt(folder: Path, case: Try) -> None:
    for file in folder.rglob("run"):
        file.chmod(0o755)
    named = [Path(source) if "," in source else folder / "inventory" / source for source in case.sources]
    inventory = Inventory.load(named, vault=VAULT, playbook_dir=folder / "inventory/play", cwd=folder)
    for asked, expected in (case.gives or {}).items():
        found = given(inventory, asked)
        assert found == expected, asked
    assert case.says in " ".join(inventory.notes)


@pytest.mark.parametrize("row", TRIES)
def test_a_row_about_inventories_is_true(write: Write, tmp_path: Path, row: str) -> None:
    assert [feature for feature in rows("Inventory") if feature.startswith(row)], "there is no such row"
    for number, case in enumerate(TRIES[row]):
        folder = write({f"{number}/inventory/{name}": text for name, text in case.files.items()}) / str(number)
        if case.refuses:
            with pytest.raises(InputError, match=re.escape(case.refuses)):
                attempt(folder, case)
        else:
            attempt(folder, case)


def test_every_row_about_inventories_is_tried() -> None:
    assert not [feature for feature in rows("Inventory") if not any(feature.startswith(row) for row in TRIES)]


def test_programs_run_when_that_is_asked_for(write: Write) -> None:
    folder = write({"run": '#!/bin/sh\necho \'{"g": ["h1"]}\'\n'})
    (folder / "run").chmod(0o755)
    assert Inventory.load([open_source(folder / "run", folder, Vault(), programs=True)]).groups["g"] == ("h1",)


KEYWORDS = [word for cell in rows("Plays") for word in re.findall(r"`([a-z_]+)", cell)]


@pytest.mark.parametrize("keyword", [word for word in KEYWORDS if word != "serial"])
def test_a_keyword_of_playbooks_is_refused_by_name(write: Write, keyword: str) -> None:
    folder = write({"site.yml": f"- {{hosts: all, roles: [edge], {keyword}: x}}\n"})
    with pytest.raises(InputError, match=f"'{keyword}'") as caught:
        plays.load(folder / "site.yml")
    assert caught.value.explanation.do


def test_what_plays_have_instead_is_taken(write: Write) -> None:
    play = "- {name: a, hosts: all, serial: 1, tags: [t], roles: [{role: coredns, once: true}]}\n"
    assert plays.load(write({"site.yml": play}) / "site.yml")[0].roles[0].once


@pytest.mark.parametrize("cell", rows("Modules").values())
def test_the_resources_named_for_modules_are_there(cell: str) -> None:
    for name, arguments in re.findall(r"`([A-Z]\w+)(?:\(([^`]*)\))?`", cell):
        kind = getattr(resources, name)
        for argument in re.findall(r"(\w+)=", arguments):
            assert argument in kind.__dataclass_fields__, f"{name}({argument}=)"
