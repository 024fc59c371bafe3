"""What was done to hosts, by whom, and back again: the commands as typed, with a small project of their own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab import commands
from tests.lab.conftest import LAB_INVENTORY, ROOT, running

LAB = "t-past"
HOST = "hdss7-11"
SITE = """
- name: serve
  hosts: all:!ops
  roles: [serve]
"""
SITE_SETTINGS = """
import msgspec


class SiteSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    domain: str = "od.com"
"""
ROLE = '''
import msgspec

from provision.resources import Command, Directory, File, Service, Symlink, Sysctl, Template


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    text: str = "one"
    port: int = 8000
    extra: bool = False
    once: bool = False


def serve(host, site, settings):
    """A web server that says a text."""
    yield Directory(path="/srv/www")
    page = File(path="/srv/www/index.html", content=Template("serve/index.html.j2"))
    yield page
    yield Symlink(path="/srv/current", target=f"/srv/{settings.text}")
    unit = File(path="/etc/systemd/system/serve.service", content=Template("serve/serve.service.j2"))
    yield unit
    yield Sysctl(name="net.ipv4.ip_local_port_range", value="32768 60999" if settings.text == "one" else "20000 60999")
    yield Service(name="serve", restart_on=(unit, page), ready=f"test -e /run/serve-{settings.port}")
    if settings.extra:
        yield File(path="/srv/www/extra", content="only for a while\\n")
    if settings.once:
        yield Command(name="leave a mark", run="touch /srv/mark", unless="test -e /srv/mark")
'''
PAGE = """<h1>{{ settings.text }}</h1>
"""
UNIT = """[Unit]
Description=says {{ settings.text }}
[Service]
ExecStart=/bin/sh -c 'cp /srv/www/index.html /run/said; touch /run/serve-{{ settings.port }}; exec sleep 100000'
[Install]
WantedBy=multi-user.target
"""
Invoke = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project with one role, under git, and a lab of bare hosts."""
    root = tmp_path_factory.mktemp("project")
    for folder in ("roles", "inventory/lab/group_vars/all", "templates/serve"):
        (root / folder).mkdir(parents=True)
    shutil.copy(ROOT / "tasks.py", root)
    shutil.copy(LAB_INVENTORY / "hosts.yml", root / "inventory" / "lab")
    for name, text in (("__init__", ""), ("_site", SITE_SETTINGS), ("serve", ROLE)):
        (root / "roles" / f"{name}.py").write_text(text)
    (root / "templates/serve/index.html.j2").write_text(PAGE)
    (root / "templates/serve/serve.service.j2").write_text(UNIT)
    (root / "inventory/lab/group_vars/all/serve.yml").write_text("serve:\n  port: 8000\n  text: one\n")
    (root / "site.yml").write_text(SITE)
    git = ["git", "-C", str(root), "-c", "user.name=t", "-c", "user.email=t@t"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "site"]):
        subprocess.run([*git, *words], check=True)
    with running(LAB, root / "inventory" / "lab", wait_artifacts=False):
        yield root


@pytest.fixture
def invoke(project: Path) -> Invoke:
    """Runs `invoke WORDS` in the project, on one host unless told otherwise."""

    def invoke(*words: str) -> subprocess.CompletedProcess[str]:
        first, *rest = words
        limit = [] if "--limit" in rest else ["--limit", HOST]
        return subprocess.run(
            [sys.executable, "-m", "invoke", first, "--lab", LAB, *limit, *rest],
            cwd=project,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )

    return invoke


def on_host(host: str, script: str) -> str:
    argv = commands.command(LAB, host, ["sh", "-c", script])
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True).stdout


STATE = (
    "cat /srv/www/index.html /run/said; readlink /srv/current; cat /proc/sys/net/ipv4/ip_local_port_range;"
    "systemctl is-active serve; cat /etc/systemd/system/serve.service; ls /srv/www"
)


def runs(invoke: Invoke) -> list[str]:
    found: list[dict[str, str]] = json.loads(invoke("history", "--json").stdout)["hosts"][HOST]["runs"]
    return [run["run"] for run in found]


def test_after_a_rollback_the_earlier_plan_is_empty(invoke: Invoke) -> None:
    assert invoke("deploy").returncode == 0
    before = on_host(HOST, STATE)
    assert invoke("deploy", "--extra-vars", "serve.text=two", "--extra-vars", "serve.extra=true").returncode == 0
    assert on_host(HOST, STATE) != before
    planned = invoke("rollback", "--check", "--diff")
    assert planned.returncode == 2
    assert "-<h1>two</h1>" in planned.stdout
    assert "+<h1>one</h1>" in planned.stdout
    done = invoke("rollback")
    assert (done.returncode, done.stderr) == (0, "")
    assert on_host(HOST, STATE) == before
    assert invoke("plan").returncode == 0  # what the inventory said before
    assert invoke("plan", "--extra-vars", "serve.text=two").returncode == 2


def test_a_rollback_can_be_rolled_back(invoke: Invoke) -> None:
    one = on_host(HOST, STATE)
    assert invoke("deploy", "--extra-vars", "serve.text=three").returncode == 0
    three = on_host(HOST, STATE)
    assert invoke("deploy", "--extra-vars", "serve.text=four").returncode == 0
    first, second = runs(invoke)[-2:]
    assert invoke("rollback").returncode == 0
    assert on_host(HOST, STATE) == three
    further = invoke("rollback")
    assert further.returncode == 4
    assert f"--run {second}" in further.stderr
    assert invoke("rollback", "--run", first).returncode == 0
    assert on_host(HOST, STATE) == one
    assert invoke("rollback", "--run", runs(invoke)[-1]).returncode == 0
    assert on_host(HOST, STATE) == three
    assert invoke("deploy").returncode == 0


def test_history_names_run_person_commit_and_what_was_undone(invoke: Invoke, project: Path) -> None:
    commit = subprocess.run(
        ["git", "-C", str(project), "log", "-1", "--format=%h"], capture_output=True, text=True, check=True
    ).stdout.strip()
    shown = invoke("history", "--limit", "all:!ops")
    assert shown.returncode == 0
    first = shown.stdout.splitlines()[-1]
    assert commit in first
    assert "deploy" in first
    assert "done" in first
    assert shown.stdout.count("rollback") >= 2
    changes = invoke("history", "--run", runs(invoke)[0], "--verbose").stdout
    assert "File /srv/www/index.html" in changes
    assert "roles/serve.py:" in changes
    assert invoke("history", "--run", "nonsense").returncode == 4


def test_blame_finds_who_made_a_file_what_it_is(invoke: Invoke) -> None:
    by_path = invoke("blame", "--path", "/srv/www/index.html")
    assert by_path.returncode == 0
    assert "File /srv/www/index.html" in by_path.stdout.splitlines()[0]
    assert "role serve, roles/serve.py:" in by_path.stdout
    assert "variable serve.text (inventory/lab/group_vars/all/serve.yml:3)" in by_path.stdout
    assert f"run {runs(invoke)[-1]}" in by_path.stdout.splitlines()[1]
    assert invoke("blame", "--resource", "Service serve").returncode == 0
    nobody = invoke("blame", "--path", "/etc/passwd")
    assert (nobody.returncode, len(nobody.stdout.splitlines())) == (0, 1)
    assert invoke("blame").returncode == 4


def test_why_traces_a_variable_to_restarts_without_a_host(invoke: Invoke) -> None:
    shown = invoke("why", "--path", "/srv/www/index.html")
    assert shown.returncode == 0
    assert "serve.text" in shown.stdout
    assert "= 'one'" in shown.stdout
    assert "inventory/lab/group_vars/all/serve.yml:3" in shown.stdout
    assert "templates/serve/index.html.j2:1" in shown.stdout
    assert "Service serve" in shown.stdout
    misspelt = invoke("why", "--resource", "Service server")
    assert misspelt.returncode == 4
    assert "'Service serve'" in misspelt.stderr


def test_what_can_not_be_undone_is_told_before_anything_is_done(invoke: Invoke) -> None:
    assert invoke("deploy", "--extra-vars", "serve.once=true").returncode == 0
    done = invoke("rollback")
    assert done.returncode == 0
    assert re.search(rf"^{HOST}: .*Command leave a mark", done.stdout, re.M), done.stdout
    assert on_host(HOST, "ls /srv/mark").strip() == "/srv/mark"


def test_a_deploy_that_was_killed_is_undone_like_any_other(invoke: Invoke, project: Path) -> None:
    before = on_host(HOST, STATE)
    running_deploy = subprocess.Popen(
        [sys.executable, "-m", "invoke", "deploy", "--lab", LAB, "--limit", HOST, "--extra-vars", "serve.text=five"],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert running_deploy.stdout
    for line in running_deploy.stdout:
        if "File /srv/www/index.html" in line and "updated" in line:
            running_deploy.kill()
            break
    running_deploy.wait()
    assert on_host(HOST, "cat /srv/www/index.html").strip() == "<h1>five</h1>"
    assert invoke("rollback", "--wait", "60").returncode == 0
    assert on_host(HOST, STATE) == before


def test_what_left_the_role_is_listed_and_goes_only_when_told_to(invoke: Invoke) -> None:
    assert invoke("deploy", "--extra-vars", "serve.extra=true").returncode == 0
    planned = invoke("plan")
    assert planned.returncode == 0
    (line,) = [row for row in planned.stdout.splitlines() if "File /srv/www/extra" in row]
    assert line.startswith(f"= {HOST} "), line
    assert json.loads(invoke("plan", "--json").stdout)["hosts"][HOST]["no_longer_declared"] == ["File /srv/www/extra"]
    assert invoke("deploy").returncode == 0
    assert on_host(HOST, "cat /srv/www/extra").strip() == "only for a while"
    assert invoke("plan", "--prune").returncode == 2
    assert invoke("deploy", "--prune", "--tags", "serve").returncode == 4
    assert invoke("deploy", "--prune").returncode == 0
    assert on_host(HOST, "ls /srv/www").split() == ["index.html"]
    assert "File /srv/www/extra" not in invoke("plan").stdout
    assert invoke("plan", "--prune").returncode == 0
    assert invoke("rollback").returncode == 0  # also that can be undone
    assert on_host(HOST, "cat /srv/www/extra").strip() == "only for a while"
    assert invoke("deploy", "--prune").returncode == 0


def test_a_saved_plan_is_applied_as_it_was_shown_or_not_at_all(invoke: Invoke, tmp_path: Path) -> None:
    file, wanted = str(tmp_path / "plan"), ("--extra-vars", "serve.text=six")
    saved = invoke("plan", *wanted, "--save", file)
    assert saved.returncode == 2
    following = next(line for line in saved.stdout.splitlines() if line.startswith("Next: "))
    assert following.startswith(f"Next: invoke deploy --plan {file} ")
    assert "--save" not in following
    other = invoke("deploy", "--plan", file)  # without its --extra-vars
    assert other.returncode == 1
    assert "six" not in on_host(HOST, "cat /srv/www/index.html")
    on_host(HOST, "cp -p /srv/www/index.html /srv/before; echo by hand >>/srv/www/index.html")
    edited = invoke("deploy", *wanted, "--plan", file)
    assert edited.returncode == 1
    assert "File /srv/www/index.html" in edited.stderr
    assert "by hand" in on_host(HOST, "cat /srv/www/index.html")
    on_host(HOST, "mv /srv/before /srv/www/index.html")
    assert invoke("deploy", *wanted, "--plan", file, "--limit", "nodes").returncode == 4
    assert invoke("deploy", *wanted, "--plan", file).returncode == 0
    again = invoke("deploy", *wanted, "--plan", file)
    assert again.returncode == 1
    assert invoke("rollback").returncode == 0


def test_nothing_of_a_journal_is_for_others_to_read(invoke: Invoke) -> None:
    modes = on_host(
        HOST, "stat -c '%a %U' /var/lib/provision/journal /var/lib/provision/journal/* /var/lib/provision/made"
    )
    assert {line.split()[0] for line in modes.splitlines()} <= {"700", "600"}
