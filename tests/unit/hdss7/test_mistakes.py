"""Mistakes in a project's files, as an operator meets them: one paragraph with the place, and the right exit code."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hdss7.init import TASKS
from tests.unit.conftest import ROOT

# Nothing listens on port 1 of this machine.
HOSTS = (
    "edge: {hosts: {h1: {ansible_host: 127.0.0.1, ansible_port: 1}, h2: {ansible_host: 127.0.0.2, ansible_port: 1}}}\n"
)
PLAYS = "- {name: one, hosts: edge, roles: [motd]}\n"
ROLE = """
import msgspec
from provision.resources import File

class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    text: str = "hello"

def motd(host, site, settings):
    yield File(path="/etc/motd", content=settings.text)
"""
RESOURCE = """
from dataclasses import dataclass
from provision.resources.base import Resource

@dataclass(frozen=True, kw_only=True)
class Own(Resource):
    key = "Own thing"
    def questions(self):
        return missing
    def compare(self, answers, changed_dependencies): ...
    def fix(self, change): ...
"""
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with one play, one role and two hosts that cannot be reached."""
    files = {"site.yml": PLAYS, "inventory/mine.yml": HOSTS, "roles/motd.py": ROLE, "tasks.py": TASKS}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.fixture
def run(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs a command in the project: `run("plan")`."""
    state = tmp_path_factory.mktemp("state")

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "invoke", *words]
        known = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(state)}
        done = subprocess.run(argv, cwd=project, env=known, capture_output=True, text=True, timeout=60, check=False)
        assert "Traceback" not in done.stderr, done.stderr
        return done

    return run


@pytest.mark.parametrize("command", ["plan", "deploy"])
def test_a_wrong_setting_is_named_though_no_host_can_be_reached(run: Run, command: str) -> None:
    done = run(command, "--extra-vars", "motd.txt=x")
    assert done.returncode == 4, done.stdout + done.stderr
    assert "'motd' has no setting 'txt'" in done.stdout + done.stderr


def test_hosts_that_cannot_be_reached_exit_3(run: Run) -> None:
    done = run("plan", "--save", "plan.json")
    assert done.returncode == 3, done.stdout + done.stderr
    assert "plan --save plan.json" in done.stdout
    assert "was not saved" in done.stderr


@pytest.mark.parametrize("command", ["ping", "run -- true", "history", "blame --path /etc/motd", "plan"])
def test_several_unreachable_hosts_are_one_paragraph(run: Run, command: str) -> None:
    done = run(*command.split())
    assert done.returncode == 3
    assert done.stderr.strip().startswith("h1, h2: could not log in. 127.0.0.1:1, 127.0.0.2:1: connection refused.")
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("command", ["proxy.rules", "proxy.clean"])
def test_proxy_commands_count_the_nodes_that_did_not_answer(run: Run, tmp_path: Path, command: str) -> None:
    site = shutil.copytree(ROOT / "inventory/hdss7", tmp_path / "site")
    hosts = site / "hosts.yml"
    hosts.write_text(hosts.read_text().replace("10.4.7.", "127.4.7."))  # this machine answers there, on no port 1
    done = run(command, "--project", str(ROOT), "--inventory", str(site), "--extra-vars", "ansible_port=1")
    assert (done.returncode, done.stdout) == (3, f"{command}: 2 nodes could not be asked\n")
    assert done.stderr.startswith("hdss7-21, hdss7-22: could not log in. 127.4.7.21:1, 127.4.7.22:1: ")


@pytest.mark.parametrize("command", ["history", "rollback", "blame --path /etc/motd"])
def test_history_of_unreachable_hosts_is_unknown_not_empty(run: Run, command: str) -> None:
    done = run(*command.split())
    assert done.returncode == 3, done.stdout + done.stderr
    assert "no record" not in done.stdout
    assert "no run" not in done.stdout + done.stderr
    for host in ("h1", "h2"):
        assert host in done.stderr


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        (
            "roles/motd.py",
            ROLE.replace("yield File", "yield Fiel"),
            "roles/motd.py:9: the role can't be used. NameError",
        ),
        ("roles/motd.py", ROLE.replace("yield File", "return File"), "a role yields its resources"),
        ("roles/motd.py", ROLE.replace("yield File(", "yield (1, "), "invalid syntax"),
        ("roles/motd.py", ROLE.replace("yield File(path", "yield dict(path"), "It yielded {'path': '/etc/motd'"),
        ("roles/motd.py", ROLE + RESOURCE + "def motd(host, site, settings):\n    yield Own()\n", "'missing' is not"),
        ("site.yml", PLAYS.replace("edge", "egde"), "site.yml:1: play 'one': "),
        (
            "site.yml",
            PLAYS.replace("roles", "drain: egde, roles"),
            "site.yml:1: 'drain' of play 'one': there is no role",
        ),
        ("site.yml", PLAYS.replace("roles", "gate: egde, roles"), "site.yml:1: 'gate' of play 'one': there is no role"),
        ("inventory/mine.yml", HOSTS.replace("127.0.0.1", "'a b'"), "inventory/mine.yml:1: the variable ansible_host"),
    ],
)
def test_lint_says_once_what_is_wrong_and_where(run: Run, project: Path, file: str, text: str, said: str) -> None:
    (project / file).write_text(text)
    done = run("lint")
    assert done.returncode == 4, done.stdout + done.stderr
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr


def test_a_project_without_an_inventory_says_so(run: Run, project: Path) -> None:
    shutil.rmtree(project / "inventory")
    done = run("lint")
    assert done.returncode == 4
    assert "this project has no inventory" in done.stderr


def test_init_needs_a_folder(run: Run) -> None:
    assert "init needs a folder. invoke init DIR." in run("init").stderr


@pytest.mark.parametrize(
    ("words", "said", "do"),
    [
        ("why --path /etc/nope/at/all", "nothing declares '/etc/nope/at/all'", "invoke plan --verbose --verbose"),
        ("why --path etc/motd", "nothing declares 'etc/motd'", "Did you mean '/etc/motd'?"),
        ("init site.yml", "site.yml is a file: nothing was written", "Name a folder that does not exist yet"),
        ("init inventory", "inventory is not empty: nothing was written", "Name a folder that does not exist yet"),
        ("init site.yml/x", "can't be written", "Name a folder that may be made, where this user may write"),
        ("deploy --plan nope", "the plan nope can't be read", "invoke plan --save FILE"),
        ("deploy --plan inventory", "Is a directory", "invoke plan --save FILE"),
        ("lint --vault-password-file inventory", "it is a folder", "Name the file"),
    ],
)
def test_a_mistake_is_answered_with_what_to_do(run: Run, words: str, said: str, do: str) -> None:
    done = run(*words.split())
    assert done.returncode in (1, 4), done.stdout
    assert said in done.stderr
    assert do in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
