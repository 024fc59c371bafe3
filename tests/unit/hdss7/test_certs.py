"""`certs` as it is typed: what it lists of the controller and of a host, its exit codes, and its JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hdss7.certs import Listing, notes, summary, table
from hdss7.init import TASKS
from roles._authority import Store
from roles._lifetimes import Lifetime, State
from roles._x509 import Certificate
from tests.unit.conftest import ROOT

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PLAYS = "- {name: one, hosts: all, roles: [mine]}\n"
HOSTS = """
all:
  vars: {site: {vip: 10.4.7.10}}
  hosts: {here: {ansible_host: 127.0.0.1, ansible_port: 1}}
"""
ROLE = """
import msgspec
from provision.resources import File
from roles._certificates import named, files

class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass

def mine(host, site, settings):
    yield from files(host, site, named(host.inventory, site, "admin"), directory="/srv")
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with one host, which nobody can reach, and one role that puts a certificate there."""
    files = {"site.yml": PLAYS, "inventory/mine/hosts.yml": HOSTS, "roles/mine.py": ROLE, "tasks.py": TASKS}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def run(project: Path, *words: str, command: str = "certs") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "invoke", command, *words],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "XDG_STATE_HOME": str(project / "state"), "PYTHONPATH": str(ROOT)},
    )


def test_the_folder_is_listed_though_no_host_answers(project: Path) -> None:
    Store(project / "inventory" / "mine" / "pki", datetime.now(UTC) - timedelta(days=400)).renew(
        (Certificate("admin", "kubernetes-admin", "system:masters"),), 365
    )
    done = run(project)
    assert done.returncode == 3
    rows = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert "ended" in rows["kubernetes-admin"]
    assert "controller" in rows["kubernetes-admin"]
    assert "missing" in rows["kube-apiserver"]
    assert done.stderr.startswith("here: could not")
    assert "PRIVATE" not in done.stdout + done.stderr


def test_every_plan_tells_of_a_ca_that_ends_within_a_year(project: Path) -> None:
    (project / "site.yml").write_text(PLAYS.replace("mine", "pki, mine"))
    made = datetime.now(UTC) - timedelta(days=3650 - 300)
    Store(project / "inventory" / "mine" / "pki", made).renew((Certificate("admin", "kubernetes-admin"),), 365)
    for command in ("plan", "lint"):
        said = run(project, command=command).stdout
        assert "note: the CA kubernetes-ca ends on" in said
        assert "in 299 days" in said


def test_a_host_without_answer_is_unreachable_in_json(project: Path) -> None:
    done = run(project, "--json")
    said = json.loads(done.stdout)
    assert said["exit"] == done.returncode == 3
    assert said["hosts"]["here"]["status"] == "unreachable"
    assert {each["state"] for each in said["controller"]} == {"missing"}


def test_a_cluster_of_somebody_else_has_none(project: Path) -> None:
    done = run(project, "--extra-vars", "site.managed=false")
    assert (done.returncode, done.stderr) == (0, "")
    assert "site.managed is false" in done.stdout


def lifetime(whose: str, days: int, state: State = State.OK, *, signs: bool = False) -> Lifetime:
    return Lifetime(whose, f"/{whose}.pem", state, NOW + timedelta(days=days), ("10.4.7.21",), signs=signs)


def listing(*found: Lifetime) -> Listing:
    return Listing(found, (), NOW)


def test_what_ends_first_stands_first() -> None:
    rows = table(listing(lifetime("late", 300), lifetime("soon", 3), Lifetime("none", "/none.pem", State.MISSING)))
    assert [row.split()[0] for row in rows] == ["certificate", "none", "soon", "late"]
    assert rows[2].split() == ["soon", "controller", "/soon.pem", "2026-01-04", "3", "ok", "10.4.7.21"]


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (lifetime("a", 300), 0),
        (lifetime("a", 31, State.DUE), 0),
        (lifetime("a", 30, State.DUE), 1),
        (lifetime("a", 300, State.DIFFERS), 0),
        (lifetime("a", -1, State.ENDED), 1),
        (lifetime("ca", 300, State.DUE, signs=True), 0),
        (lifetime("ca", 30, State.DUE, signs=True), 1),
    ],
)
def test_the_exit_code_is_that_of_verify(found: Lifetime, code: int) -> None:
    assert listing(found).exit == code


def test_notes_say_what_a_deploy_renews_and_what_it_does_not() -> None:
    leaf, authority = lifetime("a", 30, State.DUE), lifetime("ca", 300, State.DUE, signs=True)
    assert notes(listing(lifetime("a", 300))) == []
    assert ["deploy renews" in note for note in notes(listing(leaf))] == [True]
    assert ["the CA ca ends on 2026-10-28, in 300 days" in note for note in notes(listing(authority))] == [True]
    assert summary(listing(leaf, authority)) == "certs: 2 certificates on the controller and 0 hosts: 2 due"
