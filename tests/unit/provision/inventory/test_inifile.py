"""INI inventories, read as Ansible reads them."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision.errors import InputError
from provision.inventory import Inventory
from provision.inventory.inifile import parse
from tests.unit.conftest import Write

HOSTS = """
# hosts without a section
bastion ansible_host=10.4.7.5

[edge]
hdss7-11:2222 ansible_user=admin  # the edge

[nodes]
hdss7-[21:22] rack="row 7" labels="{'a': [1, 2]}" empty= spare=None
; a comment of the other kind
[masters]
hdss7-21

[cluster:children]
masters
nodes

[cluster:vars]
cidr = 172.7.0.0/16
count = 3 # a literal: the comment is Python's
note = three # a text: the comment belongs to it
flag=True
template = {{ count }}
"""


@pytest.fixture
def inventory(write: Write) -> Inventory:
    return Inventory.load([write({"hosts": HOSTS})])


def test_groups_and_children_hold_their_hosts(inventory: Inventory) -> None:
    assert [host.name for host in inventory.hosts] == ["bastion", "hdss7-11", "hdss7-21", "hdss7-22"]
    assert inventory.groups["cluster"] == ("hdss7-21", "hdss7-22")
    assert inventory.groups["ungrouped"] == ("bastion",)
    assert inventory.host("hdss7-21").groups == ("cluster", "masters", "nodes")


def test_a_port_and_login_variables_stand_on_the_hosts_line(inventory: Inventory) -> None:
    edge = inventory.host("hdss7-11")
    assert (edge.port, edge.user) == (2222, "admin")
    assert inventory.host("bastion").address == "10.4.7.5"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rack", "row 7"),
        ("labels", {"a": [1, 2]}),
        ("empty", ""),
        ("spare", None),
        ("cidr", "172.7.0.0/16"),
        ("count", 3),
        ("note", "three # a text: the comment belongs to it"),
        ("flag", True),
        ("template", 3),
    ],
)
def test_values_are_literals_or_text(inventory: Inventory, name: str, value: Any) -> None:
    assert inventory.host("hdss7-21").var(name) == value


def test_an_error_in_a_value_names_file_and_line(write: Write) -> None:
    folder = write({"hosts.ini": "[all:vars]\nx = {{ nothing }}\n\n[web]\nw1\n"})
    with pytest.raises(InputError, match=r"hosts\.ini:2.*'nothing' is not set"):
        Inventory.load([folder], cwd=folder).host("w1").var("x")


def test_group_vars_beside_an_ini_file_are_stronger_than_it(write: Write) -> None:
    folder = write({"hosts": "[web]\nw1\n[web:vars]\nx=1\n", "group_vars/web.yml": "x: 2"})
    assert Inventory.load([folder]).host("w1").var("x") == 2
    assert Inventory.load([folder / "hosts"]).host("w1").var("x") == 2


def test_hosts_of_the_command_line_need_no_file(tmp_path: Path) -> None:
    inventory = Inventory.load([Path("h1, 10.4.7.21:2222,")], cwd=tmp_path)
    assert [(host.name, host.port) for host in inventory.hosts] == [("h1", 22), ("10.4.7.21", 2222)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[web\nh1\n", ["hosts.ini:1"]),
        ("[web :vars]\n", ["hosts.ini:1", "the section '[web :vars]' can't be read", "without blanks"]),
        ("[web:hostz]\n", ["hosts.ini:1", "unknown kind", "':hostz'"]),
        ("[web]\nh1 ansible_host\n", ["hosts.ini:2", "'ansible_host'", "NAME=VALUE"]),
        ("[web]\nh1 a='open\n", ["hosts.ini:2", "Close the quotes"]),
        ("[web]\nh1:\n", ["hosts.ini:2", "ends in ':'"]),
        ("[web]\nh1\n[all:vars]\nword\n", ["hosts.ini:4", "a variable was expected"]),
        ("[web]\nh1\n[wbe:vars]\na=1\n", ["hosts.ini:3", "[wbe:vars]", "Did you mean 'web'?"]),
        ("[web]\nh1\n[all:children]\nwbe\n", ["hosts.ini:4", "'wbe'", "Did you mean 'web'?"]),
        ("[a]\nh1\n[a:children]\nb\n[b:children]\na\n", ["hosts.ini:6", "inside itself"]),
        ("[web]\n'' a=1\n", ["hosts.ini:2", "the host's name is empty"]),
        ("[web]\nh[3:1]\n", ["hosts.ini:2", "'3' comes after '1'"]),
    ],
)
def test_what_cant_be_read_is_told_with_its_line(write: Write, text: str, words: list[str]) -> None:
    folder = write({"hosts.ini": text})
    with pytest.raises(InputError) as caught:
        Inventory.load([folder / "hosts.ini"], cwd=folder)
    for word in words:
        assert word in str(caught.value)


LINES = st.sampled_from(
    ["[web]", "[web:children]", "[web:vars]", "[db]", "h1 a=1", "h[1:2]", "a=[1", "web", "x: y", "''"]
)


@given(st.lists(LINES | st.text(max_size=20), max_size=12))
def test_any_text_is_read_or_refused(lines: list[str]) -> None:
    with contextlib.suppress(InputError):
        parse("\n".join(lines), "hosts")
