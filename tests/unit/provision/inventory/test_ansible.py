"""The `ansible_*` variables: how a host is logged in to, and which of them are refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from provision.errors import InputError
from provision.inventory import Inventory
from provision.project import Project, Selection
from provision.project_site import ProjectSite
from provision.search_path import SearchPath

Write = Callable[[Mapping[str, str]], Path]


@pytest.mark.parametrize(
    ("arguments", "hops"),
    [
        ("-J a", ["a"]),
        ("-Ja,user@b:2222", ["a", "user@b:2222"]),
        ("-o ProxyJump=u@a", ["u@a"]),
        ("-oProxyJump=u@a", ["u@a"]),
        ("-o 'ProxyJump u@a'", ["u@a"]),
        ("-o ProxyJump=root@[2001:db8::1]:22", ["root@[2001:db8::1]:22"]),
        ("-J 2001:db8::1", ["[2001:db8::1]"]),
        ("-J ssh://u@a:22", ["u@a:22"]),
        ("-J none", []),
        ('-o ProxyCommand="ssh -W %h:%p -q user@gate"', ["user@gate"]),
        ('-o ProxyCommand="ssh -p 2222 -W %h:%p user@gate"', ["user@gate:2222"]),
        ('-o ProxyCommand="ssh -l user gate -W %h:%p"', ["user@gate"]),
        ('-o ProxyCommand="ssh -i ~/.ssh/k -W %h:%p %r@gate"', ["me@gate with ~/.ssh/k"]),
        ('-o ProxyCommand="ssh -o IdentityFile=k -o ControlPersist=60s gate -W [%h]:%p"', ["gate with k"]),
        ('-o ProxyCommand="ssh -J a b nc %h %p"', ["a", "b"]),
        ("-C -o ControlMaster=auto -o ControlPersist=60s", []),
        ("-o StrictHostKeyChecking=accept-new -o ServerAliveInterval=30 -J a", ["a"]),
    ],
)
def test_jump_hosts_are_read_from_ssh_arguments(write: Write, arguments: str, hops: list[str]) -> None:
    variables = {"ansible_user": "me", "ansible_ssh_common_args": arguments}
    folder = write({"hosts.yml": json.dumps({"all": {"hosts": {"h1": variables}}})})
    jumps = Inventory.load([folder]).host("h1").jumps
    assert [f"{jump} with {jump.key}" if jump.key else str(jump) for jump in jumps] == hops


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ("ansible_ssh_common_args: -o Tunnel=yes", ["'Tunnel' is not supported", "h.yml:1"]),
        ("ansible_ssh_common_args: -o StrictHostKeyChecking=no", ["always checked", "invoke hosts.trust h1"]),
        ("ansible_ssh_args: -o UserKnownHostsFile=/dev/null", ["ansible_ssh_args", "invoke hosts.trust h1"]),
        ("ansible_ssh_extra_args: -o UserKnownHostsFile=~/k", ["Write the variable hdss7_known_hosts: ~/k"]),
        ("ansible_host_key_checking: false", ["ansible_host_key_checking", "invoke hosts.trust h1"]),
        ("ansible_ssh_common_args: -6", ["'-6' is not supported"]),
        ("ansible_ssh_common_args: -i ~/k", ["'-i' is not supported", "Write ansible_ssh_private_key_file: ~/k"]),
        ("ansible_ssh_extra_args: -p2222", ["Write ansible_port: 2222"]),
        ("ansible_ssh_common_args: -J a:b", ["'a:b' is no jump host"]),
        ("ansible_ssh_common_args: -J a:99999", ["'99999' is not a port"]),
        ("ansible_ssh_private_key: x", ["ansible_ssh_private_key is not supported", "h.yml:1"]),
        ("hdss7_dial: [a]", ["hdss7_dial", "MODULE:FUNCTION", "h.yml:1"]),
        ("hdss7_transport: telnet", ["hdss7_transport", "'telnet' was written", "fabric, openssh", "h.yml:1"]),
        ("hdss7_transport: [openssh]", ["hdss7_transport", "h.yml:1"]),
        ("ansible_ssh_common_args: -J", ["names no host"]),
        ("ansible_ssh_common_args: -o ProxyCommand='nc -x proxy %h %p'", ["ProxyCommand", "not supported"]),
        ("ansible_connection: winrm", ["'winrm' is not supported", "by ssh"]),
        ("ansible_host: 10.4.7.21; touch /tmp/p", ["ansible_host", "h.yml:1", "is no address"]),
        ("ansible_port: 99999", ["'99999' is not a port"]),
        ("ansible_port: true", ["'True' is not a port"]),
        ("ansible_timeout: soon", ["ansible_timeout", "h.yml:1", "'soon' is no number of seconds"]),
        ("ansible_ssh_timeout: 0", ["ansible_ssh_timeout", "'0' is no number"]),
        ("ansible_ssh_timeout: [5]", ["h.yml:1", "is no number"]),
        ("ansible_user: [a]", ["ansible_user", "not text"]),
        ("ansible_become: maybe", ["neither yes nor no"]),
        ("{ansible_become: true, ansible_become_method: su}", ["'su' is not supported"]),
    ],
)
def test_impossible_login_variables_are_refused(write: Write, variables: str, words: list[str]) -> None:
    folder = write({"hosts.yml": "all: {hosts: {h1: }}", "h.yml": variables})
    host = Inventory.load([folder / "hosts.yml"], ["@h.yml"], cwd=folder).host("h1")
    with pytest.raises(InputError) as caught:
        host.check_login()
    for word in words:
        assert word in str(caught.value)


def test_older_names_of_login_variables_are_understood(write: Write) -> None:
    login = "{ansible_ssh_host: 10.0.0.1, ansible_ssh_port: '22022', ansible_ssh_user: u, ansible_become_pass: 7"
    login += ", ansible_timeout: '2.5'}"
    text = f"all: {{hosts: {{h1: {login}}}}}"
    host = Inventory.load([write({"hosts.yml": text})]).host("h1")
    assert (host.address, host.port, host.user, host.become_password) == ("10.0.0.1", 22022, "u", "7")
    assert host.timeout == 2.5
    assert Inventory.load([write({"hosts.yml": "all: {hosts: {h1: }}"})]).host("h1").timeout == 10


@pytest.mark.parametrize("name", ["ssh", "ansible.builtin.ssh", "smart", "paramiko", "ansible.builtin.paramiko_ssh"])
def test_full_names_of_connections_by_ssh_are_taken(write: Write, name: str) -> None:
    text = f"all: {{hosts: {{h1: {{ansible_connection: {name}, ansible_become: true}}}}}}"
    host = Inventory.load([write({"hosts.yml": text})], ["ansible_become_method=ansible.builtin.sudo"]).host("h1")
    host.check_login()
    assert (host.local, host.become) == (False, True)


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("ansible_ssh_host: 10.0.0.1", "ansible_host: 10.0.0.2"),
        ("ansible_ssh_user: a", "ansible_user: b"),
        ("ansible_ssh_port: 1", "ansible_port: 2"),
        ("ansible_ssh_pass: a", "ansible_password: b"),
        ("ansible_sudo_pass: a", "ansible_become_password: b"),
    ],
)
def test_older_names_win_over_newer_ones(write: Write, older: str, newer: str) -> None:
    folder = write({"hosts.yml": f"all: {{hosts: {{h1: {{{older}, {newer}}}, h2: {{{older}}}}}}}"})
    names = ("user", "port", "password", "become_password")
    first, second = Inventory.load([folder]).hosts
    assert [getattr(first, name) for name in names] == [getattr(second, name) for name in names]
    assert (first.address == second.address) is ("host" in older)


@pytest.mark.parametrize(("typed", "transport"), [(None, "openssh"), ("fabric", "fabric")])
def test_the_typed_transport_wins_over_the_inventorys(write: Write, typed: str | None, transport: str) -> None:
    text = "nodes: {vars: {hdss7_transport: openssh}, hosts: {h1: {}, h2: {ansible_port: 22}}}"
    project = Project(SearchPath.of(Path(__file__).parents[4]), [write({"hosts.yml": text})])
    first, second = (project.login(host, Selection(transport=typed)) for host in project.inventory.hosts)
    assert (first.transport, first.port_left) == (transport, True)
    assert (second.transport, second.port_left) == (transport, False)


def test_a_password_that_ssh_would_ask_for_is_refused(write: Write) -> None:
    text = "nodes: {vars: {ansible_password: p}, hosts: {h1: {}}}"
    project = Project(SearchPath.of(Path(__file__).parents[4]), [write({"hosts.yml": text})])
    host = project.inventory.host("h1")
    assert project.login(host, Selection()).password == "p"
    with pytest.raises(InputError, match=r"h1, .*hosts\.yml:1: ansible_password can't be used with transport openssh"):
        project.login(host, Selection(transport="openssh"))


def test_an_impossible_login_ends_a_run_before_any_host(write: Write) -> None:
    text = "nodes: {hosts: {h1: {ansible_host: 192.0.2.1}, h2: {ansible_timeout: soon}}}"
    project = Project(SearchPath.of(Path(__file__).parents[4]), [write({"hosts.yml": text})])
    with pytest.raises(InputError, match=r"h2, .*hosts\.yml:1: the variable ansible_timeout can't be used") as caught:
        ProjectSite(project, Selection())
    assert caught.value.exit == 4


def test_a_host_key_may_hold_its_port(write: Write) -> None:
    inventory = Inventory.load([write({"hosts.yml": "all: {hosts: {'h[1:2]:2222': {}, 'h3': }}"})])
    assert [(host.name, host.port) for host in inventory.hosts] == [("h1", 2222), ("h2", 2222), ("h3", 22)]
