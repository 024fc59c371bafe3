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
