"""What lies beside an inventory: other inventories, their variables, and whatever else is in the folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from provision.errors import InputError
from provision.inventory import Inventory

Write = Callable[[Mapping[str, str]], Path]
HOSTS = "all: {hosts: {h1: }}"


def test_a_folder_that_holds_itself_is_refused_as_an_inventory(write: Write) -> None:
    folder = write({"hosts.yml": HOSTS, "deep/more.yml": HOSTS})
    (folder / "deep/again").symlink_to("..")
    with pytest.raises(InputError, match="deep/again: a folder of inventories is inside itself"):
        Inventory.load([folder], cwd=folder)


def test_a_file_is_read_whatever_lies_beside_it(write: Write) -> None:
    folder = write({"hosts.yml": HOSTS, "group_vars/other.yml": "a: 1", "deep/x": "h2"})
    (folder / "deep/again").symlink_to("..")
    (folder / "gone").symlink_to("nowhere")
    (folder / "circle").symlink_to("circle")
    assert Inventory.load([folder / "hosts.yml"], cwd=folder).notes[0].startswith("group_vars/other.yml: has no effect")


def test_variables_of_the_controller_need_no_listing(write: Write) -> None:
    folder = write({"hosts.yml": HOSTS, "host_vars/localhost.yml": "a: 1"})
    inventory = Inventory.load([folder])
    assert inventory.notes == ()
    assert inventory.host("localhost").var("a") == 1


def test_an_encrypted_value_that_nobody_uses_may_be_damaged(write: Write) -> None:
    folder = write({"hosts.yml": "all: {hosts: {h1: {p: !vault x, q: 1}}}"})
    host = Inventory.load([folder], cwd=folder).host("h1")
    assert host.var("q") == 1
    with pytest.raises(InputError, match=r"hosts\.yml:1: a !vault value begins with"):
        host.var("p")


LOOKALIKES: Mapping[str, tuple[bytes, str]] = {
    "README.md": (b"# A project\n\nIt has words.\n", "documentation"),
    "site.py": (b"import os\nprint(os.name)\n", "a Python program"),
    "main.tf": (b'resource "aws_instance" "web" {\n  count = 2\n}\n', "Terraform's configuration"),
    "Makefile": (b"run:\n\techo run it\n", "a Makefile"),
    "ansible.cfg": (b"[defaults]\ninventory = hosts\n", "Ansible's configuration"),
    "site.yml": (b"- hosts: all\n  roles: [web]\n", "a playbook"),
    "program": (b"\x7fELF\x02\x01\0\0", "a binary file"),
    "hosts.yml": ("all: {hosts: {h1: }}".encode("utf-16"), "text in UTF-16"),
    "hosts.gz": (b"\x1f\x8b\x08\xff", "a compressed file"),
    "old": (b"#!/bin/sh\necho h1 h2\n", "a program that is not executable"),
    "config": (b"Host gate\n  User me\n", "a configuration of ssh"),
}


@pytest.mark.parametrize("name", LOOKALIKES)
def test_a_file_that_is_no_inventory_is_told_by_its_kind(tmp_path: Path, name: str) -> None:
    data, kind = LOOKALIKES[name]
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError) as caught:
        Inventory.load([tmp_path / name], cwd=tmp_path)
    assert caught.value.explanation.line.startswith(name)
    assert f"the file is no inventory. It looks like {kind}" in str(caught.value)
    assert "[edge] and below it hdss7-11 in INI" in caught.value.explanation.do


@pytest.mark.parametrize("name", [name for name in LOOKALIKES if name not in ("README.md", "ansible.cfg", "hosts.yml")])
def test_such_a_file_in_a_folder_is_left_out_with_a_note(tmp_path: Path, name: str) -> None:
    (tmp_path / "hosts.yml").write_text(HOSTS)
    (tmp_path / name).write_bytes(LOOKALIKES[name][0])
    inventory = Inventory.load([tmp_path], cwd=tmp_path)
    assert [host.name for host in inventory.hosts] == ["h1"]
    assert f"It looks like {LOOKALIKES[name][1]}" in " ".join(inventory.notes)


@pytest.mark.parametrize("pattern", ["h[1:99999999]", "h[0:999][0:999]", "h[1:" + "9" * 5000 + "]"])
def test_a_range_of_too_many_hosts_is_refused_at_once(write: Write, pattern: str) -> None:
    folder = write({"hosts": f"[web]\n{pattern}\n"})
    with pytest.raises(InputError) as caught:
        Inventory.load([folder], cwd=folder)
    assert str(caught.value).startswith("hosts:2: the range in 'h[")
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("text", ["0x" + "f" * 5000, "'{{ 10 ** 5000 }}'", "1" * 5000])
def test_a_number_that_nobody_can_print_is_refused_by_line(write: Write, text: str) -> None:
    folder = write({"hosts.yml": f"all:\n  hosts: {{h1: }}\n  vars:\n    n: {text}\n"})
    with pytest.raises(InputError, match=r"hosts\.yml:4.*thousands of digits"):
        Inventory.load([folder], cwd=folder).host("h1").var("n")


def test_a_set_keeps_the_order_in_which_it_was_written(write: Write) -> None:
    folder = write({"hosts.yml": "all: {hosts: {h1: {a: !!set {x, b, q, a, z}}}}"})
    assert Inventory.load([folder]).host("h1").var("a") == ["x", "b", "q", "a", "z"]


def test_a_host_that_is_no_file_is_told_its_comma(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="written with a comma"):
        Inventory.load([Path("h1")], cwd=tmp_path)


def test_files_with_a_comma_between_them_are_told_to_repeat_the_option(write: Write) -> None:
    folder = write({"a.yml": HOSTS, "b/hosts": "h2"})
    with pytest.raises(InputError, match=r"a\.yml is a file\. Repeat --inventory"):
        Inventory.load([Path("a.yml,b/hosts")], cwd=folder)


def test_a_link_that_leads_nowhere_is_left_out_with_a_note(write: Write) -> None:
    folder = write({"hosts.yml": HOSTS, "group_vars/all/a.yml": "a: 1", "host_vars/x.md": ""})
    (folder / "group_vars/all/b.yml").symlink_to("nowhere")
    (folder / "host_vars/h1.yml").symlink_to("h1.yml")
    inventory = Inventory.load([folder], cwd=folder)
    assert inventory.host("h1").var("a") == 1
    assert [note.partition(":")[0] for note in inventory.notes] == ["group_vars/all/b.yml", "host_vars/h1.yml"]
