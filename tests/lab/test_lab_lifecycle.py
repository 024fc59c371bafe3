"""Labs come up, go down without a trace, and recover from a kill at any moment. Needs root; makes labs of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
import pytest

from lab import commands, container, lifecycle, network, state
from lab.process import Process
from lab.state import Lab
from provision.errors import FailedError, InputError, UnreachableError
from tests.lab.hosts import HOSTS, NAME, OTHER, SECONDS, SUDO, on, quiet, ssh, traces, up

pytestmark = pytest.mark.usefixtures("purged")


def test_down_leaves_nothing_and_keeps_disks(running_lab: Lab) -> None:
    on("hdss7-11", "echo kept >/root/kept")
    assert traces(NAME) != []
    commands.down(NAME, say=quiet)
    assert traces(NAME) == []
    up()
    assert on("hdss7-11", "cat /root/kept").stdout == "kept\n"


def test_down_when_down_says_so_and_nothing_else_works_then() -> None:
    commands.down(NAME, say=quiet)
    said: list[str] = []
    commands.down(NAME, say=said.append)
    assert said == [f"lab {NAME} is down already"]
    with pytest.raises(UnreachableError, match=r"invoke lab\.up --lab t-lab"):
        network.dial("10.4.7.21", 22, 1.0, NAME)
    with pytest.raises(FailedError, match=r"invoke lab\.up --lab t-lab"):
        commands.execute(NAME, "hdss7-21", ["true"])


@pytest.mark.parametrize("milliseconds", range(100, 900, 160))
@pytest.mark.parametrize("then", [up, lambda: commands.down(NAME, say=quiet)], ids=["up", "down"])
def test_a_killed_up_is_put_right_by_the_next(milliseconds: int, then: Callable[[], None]) -> None:
    commands.down(NAME, purge=True, say=quiet)
    script = f"from lab.commands import up; up({NAME!r}, wait_artifacts=False)"
    with subprocess.Popen([sys.executable, "-c", script], cwd=commands.ROOT, stdout=subprocess.DEVNULL) as process:
        time.sleep(milliseconds / 1000)  # the moment of the cut is what varies here
        process.kill()
    then()
    if then is up:
        assert all(of.on for of in commands.status(NAME, say=quiet).values())
        commands.down(NAME, say=quiet)
    assert traces(NAME) == []


@pytest.mark.parametrize("then", [up, lambda: commands.down(NAME, say=quiet)], ids=["up", "down"])
def test_the_next_command_recovers_from_a_killed_daemon(running_lab: Lab, then: Callable[[], None]) -> None:
    daemon = running_lab.daemon_process()
    assert daemon is not None
    assert daemon.kill(SECONDS)
    assert commands.status(NAME, say=quiet) == {}
    then()
    if then is up:
        assert ssh("hdss7-21", "hostname").stdout == "hdss7-21\n"
        commands.down(NAME, say=quiet)
    assert traces(NAME) == []


def test_a_machine_that_rebooted_is_put_right(running_lab: Lab) -> None:
    """What is left then: records of another boot, and files where the namespaces were."""
    daemon = running_lab.daemon_process()
    assert daemon is not None
    runs = {path: state.read(path, container.Run) for path in running_lab.directory.glob("hosts/*/run.json")}
    socket_left = running_lab.directory / "left.sock"
    running_lab.socket.rename(socket_left)  # a crash does not remove it
    daemon.kill(SECONDS)
    lifecycle.sweep(running_lab)
    socket_left.rename(running_lab.socket)
    state.write(running_lab.daemon, msgspec.structs.replace(daemon, pid=os.getpid(), boot="before"))
    for path, run in runs.items():
        assert run is not None
        assert run.process is not None
        earlier = Process(os.getpid(), run.process.started, "before")  # the pid is someone else's by now
        state.write(path, container.Run([Path(f"{group}.gone") for group in run.cgroups], earlier))
    network.NAMESPACES.mkdir(exist_ok=True)
    for name in (*HOSTS, "hdss7-200", network.SWITCH):
        network.namespace(running_lab, name).touch()
    up()
    assert ssh("hdss7-11", "hostname").stdout == "hdss7-11\n"
    commands.down(NAME, say=quiet)
    assert traces(NAME) == []


def test_labs_live_side_by_side(running_lab: Lab) -> None:
    up(OTHER)
    on("hdss7-21", "echo other >/root/whose", OTHER)
    on("hdss7-21", "echo first >/root/whose")
    commands.down(OTHER, purge=True, say=quiet)
    assert traces(OTHER) == []
    assert ssh("hdss7-21", "cat /root/whose").stdout == "first\n"


def test_a_namespace_of_someone_else_is_never_touched() -> None:
    commands.down(NAME, say=quiet)
    foreign = network.namespace(Lab.named(NAME), network.SWITCH)
    subprocess.run(["ip", "netns", "add", foreign.name], check=True)
    try:
        subprocess.run(["ip", "-n", foreign.name, "link", "set", "lo", "alias", "hdss7:another"], check=True)
        with pytest.raises(FailedError, match="belongs to another lab of this name"):
            up()
        commands.down(NAME, say=quiet)
        assert foreign.exists()
    finally:
        subprocess.run(["ip", "netns", "del", foreign.name], check=True)


def test_another_set_of_hosts_is_refused_while_the_lab_is_up(running_lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "hosts.yml").write_text("all: {hosts: {lone: {ansible_host: 10.4.7.30}}}")
    with pytest.raises(InputError, match="runs another set of hosts"):
        commands.up(NAME, [tmp_path], wait_artifacts=False, say=quiet)


def test_a_lab_that_is_up_gets_the_hosts_that_are_new(running_lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "hosts.yml").write_text("all: {hosts: {hdss7-24: {ansible_host: 10.4.7.24}}}")
    before = commands.status(NAME, say=quiet)
    commands.up(NAME, [commands.INVENTORY, tmp_path], wait_artifacts=False, say=quiet)
    assert ssh("hdss7-24", "hostname").stdout == "hdss7-24\n"
    after = commands.status(NAME, say=quiet)
    boots = {name: host.boots for name, host in before.items()}
    assert {name: host.boots for name, host in after.items()} == {**boots, "hdss7-24": 1}
    with pytest.raises(InputError, match="not changed or taken away"):
        up()
    commands.down(NAME, purge=True, say=quiet)
    assert traces(NAME) == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"tree": "/nowhere"}, r"has left the cache.*lab\.down --purge"),
        ({"suite": "trixie"}, r"is Debian trixie, not bookworm\. Set lab_suite: trixie, or.*lab\.down --purge"),
    ],
)
def test_a_disk_that_cannot_be_used_is_refused_with_advice(
    running_lab: Lab, changed: Mapping[str, str], said: str
) -> None:
    commands.down(NAME, say=quiet)
    record = running_lab.host("hdss7-21") / "disk.json"
    kept = record.read_bytes()
    state.write(record, {**json.loads(kept), **changed})
    try:
        with pytest.raises(InputError, match=said):
            up()
    finally:
        record.write_bytes(kept)


SUDO_SITE = """
all:
  vars:
    ansible_user: ops
    ansible_port: 2222
    ansible_become: true
    ansible_become_password: lab-secret
  children:
    edge: {hosts: {front: {ansible_host: 10.9.1.5}}}
    nodes:
      vars: {ansible_ssh_common_args: "-J ops@front:2222"}
      hosts: {n1: {ansible_host: 10.9.1.11}}
"""


def test_a_site_with_a_sudo_user_another_port_and_a_jump_host(tmp_path: Path) -> None:
    (tmp_path / "hosts.yml").write_text(SUDO_SITE)
    commands.up(SUDO, [tmp_path], wait_artifacts=False, say=quiet)
    assert ssh("n1", "id --user --name; echo lab-secret | sudo --stdin id --user", SUDO).stdout == "ops\n0\n"
    assert ssh("n1", "sudo --non-interactive true", SUDO).returncode == 1
    with pytest.raises(TimeoutError):
        network.dial("n1", 2222, 1.0, SUDO)  # only the jump host gets through
    commands.down(SUDO, purge=True, say=quiet)
    assert traces(SUDO) == []
