"""Commands over the system's ssh, as a person types them, on a real sshd: what the second one no longer costs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from tests.unit.conftest import ROOT
from tests.unit.provision.remote.loopback import Loopback, running

HOSTS = {"one": "127.0.0.1", "two": "127.0.0.2", "three": "127.0.0.3"}
ROLE = '''
    """A role of one folder."""

    import msgspec

    from provision.resources import Directory


    class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        """None."""


    def tool(host, site, settings):
        """A folder that is as it should be."""
        yield Directory(path="/etc", mode="0755")
'''


@pytest.fixture(scope="module")
def sshd() -> Iterator[Loopback]:
    with running() as made:
        yield made


@pytest.fixture
def project(sshd: Loopback, tmp_path: Path) -> Path:
    login = sshd.login
    known = sshd.known("three", "host", addresses=tuple(HOSTS.values()))
    shared = {
        "ansible_port": sshd.port,
        "ansible_user": login.user,
        "ansible_ssh_private_key_file": login.key_files[0],
        "hdss7_known_hosts": known,
        "hdss7_transport": "openssh",
    }
    hosts = {name: {"ansible_host": address} for name, address in HOSTS.items()}
    (tmp_path / "roles").mkdir()
    (tmp_path / "roles" / "tool.py").write_text(dedent(ROLE))
    (tmp_path / "site.yml").write_text("- {name: one, hosts: all, roles: [tool]}\n")
    (tmp_path / "hosts.yml").write_text(json.dumps({"all": {"vars": shared, "hosts": hosts}}))
    return tmp_path


def hdss7(sshd: Loopback, project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A command with this project, and on its standard error each module that it imported."""
    place = ("--project", str(project), "--inventory", str(project / "hosts.yml"))
    command, *rest = words
    return subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "hdss7.main", command, *place, *rest],
        cwd=ROOT,
        env={**os.environ, "XDG_STATE_HOME": str(sshd.folder / "state"), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def costs(done: subprocess.CompletedProcess[str]) -> set[tuple[str, int, int]]:
    """(status, connections, execs) of the hosts."""
    hosts = json.loads(done.stdout)["hosts"]
    assert {*hosts} == {*HOSTS}
    return {(host["status"], host["connections"], host["execs"]) for host in hosts.values()}


def test_the_second_command_needs_no_connection(sshd: Loopback, project: Path) -> None:
    before = sshd.counts
    assert costs(hdss7(sshd, project, "plan", "--json")) == {("ok", 1, 1)}
    for words in (("plan", "--json"), ("plan", "--json", "--workers", "2"), ("run", "--json", "--", "true")):
        again = hdss7(sshd, project, *words)
        assert costs(again) == {("ok", 0, 1)}, words
    connections, execs = sshd.counts
    assert (connections - before[0], execs - before[1]) == (3, 12)
    assert hdss7(sshd, project, "hosts.disconnect", "--limit", "one").stdout == "1 kept connection ended\n"
    assert hdss7(sshd, project, "hosts.disconnect").stdout == "2 kept connections ended\n"


def test_fabric_is_imported_only_where_it_is_used(sshd: Loopback, project: Path) -> None:
    for transport, imported in (("openssh", False), ("fabric", True)):
        done = hdss7(sshd, project, "plan", "--transport", transport)
        assert done.returncode == 0, done.stderr[-2000:]
        modules = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
        assert {"fabric", "paramiko", "unittest.mock"} & modules == ({"fabric", "paramiko"} if imported else set())
    hdss7(sshd, project, "hosts.disconnect")


def test_a_host_that_refuses_ends_with_exit_3(sshd: Loopback, project: Path) -> None:
    done = hdss7(sshd, project, "plan", "--json", "--user", "nobody-here")
    assert done.returncode == json.loads(done.stdout)["exit"] == 3
    assert costs(done) == {("unreachable", 0, 0)}
