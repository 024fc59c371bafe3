"""The controller as a host: which plays mean it, and what it is where no inventory lists it."""

from __future__ import annotations

import pytest

from provision.errors import InputError
from provision.inventory import Inventory
from tests.unit.conftest import Write

HOSTS = """
all:
  vars: {colour: green}
  hosts: {loose: {ansible_connection: local}}
  children:
    nodes: {hosts: {n1: , n2: }}
    tools: {hosts: {desk: {ansible_connection: ansible.builtin.local}}}
"""


def names(write: Write, pattern: str, limit: str | None = None, text: str = HOSTS) -> list[str]:
    inventory = Inventory.load([write({"hosts.yml": text}) / "hosts.yml"], limit=limit)
    return [host.name for host in inventory.members(pattern)]


@pytest.mark.parametrize(
    ("pattern", "limit", "expected"),
    [
        ("all", None, ["n1", "n2"]),
        ("*", None, ["n1", "n2"]),
        ("all:!nodes", None, []),
        ("ungrouped", None, []),
        ("all", "loose", ["loose", "n1", "n2"]),
        ("all", "tools", ["n1", "n2", "desk"]),
        ("*", "loose,n1", ["loose", "n1", "n2"]),
        ("all", "all", ["n1", "n2"]),
        ("all", "!n1", ["n1", "n2"]),
        ("loose", None, ["loose"]),
        ("loo*", None, ["loose"]),
        ("tools", None, ["desk"]),
        ("all,loose", None, ["loose", "n1", "n2"]),
        ("nodes:tools", None, ["n1", "n2", "desk"]),
        ("tools:&all", None, []),
        ("localhost", None, ["localhost"]),
        ("nodes,::1", None, ["n1", "n2", "::1"]),
    ],
)
def test_a_local_host_is_meant_only_where_it_is_named(
    write: Write, pattern: str, limit: str | None, expected: list[str]
) -> None:
    assert sorted(names(write, pattern, limit)) == sorted(expected)


def test_a_listed_localhost_is_reached_as_its_variables_say(write: Write) -> None:
    text = "all: {hosts: {localhost: {ansible_host: 10.4.7.11}, n1: }}\n"
    assert names(write, "all", text=text) == ["localhost", "n1"]
    inventory = Inventory.load([write({"hosts.yml": text}) / "hosts.yml"])
    assert not inventory.host("localhost").local


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1"])
def test_a_controller_that_is_not_listed_has_the_variables_of_all(write: Write, name: str) -> None:
    files = {"hosts.yml": HOSTS, "group_vars/all.yml": "size: 3\n", f"host_vars/{name}.yml": "own: yes\n"}
    inventory = Inventory.load([write(files) / "hosts.yml"], ["extra=1"])
    host = inventory.host(name)
    assert (host.local, host.groups) == (True, ())
    assert [host.var(each) for each in ("colour", "size", "own", "extra")] == ["green", 3, True, "1"]
    assert name not in inventory.groups["all"]
    assert name not in [each.name for each in inventory.hosts]
    assert inventory.host("n1").scope.value("inventory_hostname") == "n1"


def test_other_hosts_read_its_variables(write: Write) -> None:
    text = "all: {vars: {colour: green}, hosts: {n1: {seen: \"{{ hostvars['localhost'].colour }}\"}}}\n"
    assert Inventory.load([write({"hosts.yml": text}) / "hosts.yml"]).host("n1").var("seen") == "green"


def test_another_connection_is_refused(write: Write) -> None:
    text = "all: {hosts: {n1: {ansible_connection: docker}}}\n"
    with pytest.raises(InputError, match=r"'docker' is not supported. Hosts are reached by ssh, or local"):
        Inventory.load([write({"hosts.yml": text}) / "hosts.yml"]).host("n1").check_login()
