"""The commands as a person types them, on real hosts, with a small project of their own."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab import commands
from tests.lab.conftest import LAB_INVENTORY, ROOT, both_transports, running

LAB = "t-cli"
HOSTS = ("hdss7-11", "hdss7-21", "hdss7-22")
SITE = """
- name: greet
  hosts: all:!ops
  roles: [hello]
"""
SITE_SETTINGS = """
import msgspec


class SiteSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    domain: str = "od.com"
"""
ROLE = """
import msgspec

from provision.resources import Command, Directory, File


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    text: str = "hello"
    steps: int = 0
    seconds: int = 1


def hello(host, site, settings):
    yield Directory(path="/srv/hello")
    yield File(path="/srv/hello/text", content=f"first\\n{settings.text}\\nlast\\n")
    for step in range(settings.steps):
        done = f"/srv/hello/step{step}-{settings.seconds}"
        yield Command(name=f"step {step}", run=f"sleep {settings.seconds}; touch {done}", unless=f"test -e {done}")
"""
Invoke = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project with one role, and a lab of bare hosts that it can be deployed to."""
    root = tmp_path_factory.mktemp("project")
    (root / "roles").mkdir()
    (root / "inventory" / "lab").mkdir(parents=True)
    shutil.copy(ROOT / "tasks.py", root)
    shutil.copy(LAB_INVENTORY / "hosts.yml", root / "inventory" / "lab")
    for name, text in (("__init__", ""), ("_site", SITE_SETTINGS), ("hello", ROLE)):
        (root / "roles" / f"{name}.py").write_text(text)
    (root / "site.yml").write_text(SITE)
    with running(LAB, root / "inventory" / "lab", wait_artifacts=False):
        yield root


def command(*words: str) -> list[str]:
    """The command line of `invoke WORDS`, for the lab of these tests."""
    first, *rest = words
    return [sys.executable, "-m", "invoke", first, "--lab", LAB, *rest]


@pytest.fixture
def invoke(project: Path) -> Invoke:
    """Runs `invoke WORDS` in the project."""

    def invoke(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command(*words),
            cwd=project,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return invoke


def on_host(host: str, script: str) -> str:
    """What a script prints on a host, past sshd."""
    argv = commands.command(LAB, host, ["sh", "-c", script])
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True).stdout


def test_ping_logs_in_everywhere_and_says_what_answered(invoke: Invoke) -> None:
    shown = invoke("ping")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert [line.split()[0] for line in shown.stdout.splitlines()] == ["host", *HOSTS]
    said = json.loads(invoke("ping", "--json", "--limit", "nodes").stdout)["hosts"]
    assert {name: (host["status"], host["connections"], host["execs"]) for name, host in said.items()} == dict.fromkeys(
        HOSTS[1:], ("ok", 1, 1)
    )


def test_run_gives_each_hosts_output_and_the_worst_exit_code(invoke: Invoke) -> None:
    done = invoke("run", "--limit", "nodes", "--", "sh", "-c", 'echo "a  b"; exit $(hostname | tail -c 2)')
    assert sorted(done.stdout.splitlines()) == ["hdss7-21: a  b", "hdss7-22: a  b"]
    assert done.returncode == 2
    piped = invoke("run", "--limit", "edge", "--", "echo one two | wc -w")
    assert (piped.stdout, piped.returncode) == ("hdss7-11: 2\n", 0)


def test_run_ends_a_command_that_takes_too_long(invoke: Invoke) -> None:
    done = invoke("run", "--limit", "edge", "--timeout", "1", "--", "sleep", "60")
    assert (done.returncode, "hdss7-11" in done.stderr) == (1, True)


def test_exec_in_the_lab_returns_the_commands_own_code(invoke: Invoke) -> None:
    done = invoke("lab.exec", "hdss7-21", "--", "sh", "-c", "hostname; exit 7")
    assert (done.stdout, done.returncode) == ("hdss7-21\n", 7)
    line = invoke("lab.exec", "hdss7-21", "--", "hostname; exit 8")
    assert (line.stdout, line.returncode) == ("hdss7-21\n", 8)


@both_transports
def test_a_host_key_is_trusted_only_by_a_person(invoke: Invoke, tmp_path: Path, transport: str) -> None:
    known = tmp_path / "known_hosts"
    known.touch()
    mine = ("--extra-vars", json.dumps({"hdss7_known_hosts": str(known), "hdss7_transport": transport}))
    unknown = invoke("ping", "--limit", "edge", *mine)
    assert (unknown.returncode, "invoke hosts.trust hdss7-11" in unknown.stderr) == (3, True)
    nobody = invoke("hosts.trust", "--host", "hdss7-11", *mine)
    assert (nobody.returncode, "SHA256:" in nobody.stdout, known.read_text()) == (4, True, "")
    assert invoke("hosts.trust", "hdss7-11", "--yes", *mine).returncode == 0
    assert invoke("ping", "--limit", "edge", *mine).returncode == 0
    assert known.stat().st_size > 0


@both_transports
def test_each_way_of_not_getting_in_is_told_with_exit_3(invoke: Invoke, tmp_path: Path, transport: str) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    for words in (("--private-key", str(key)), ("--user", "nobody"), ("--extra-vars", "ansible_port=23")):
        done = invoke("plan", "--limit", "edge", "--transport", transport, *words)
        assert (done.returncode, "hdss7-11" in done.stderr, "Traceback" in done.stderr) == (3, True, False), done


def changes(done: subprocess.CompletedProcess[str]) -> dict[str, int]:
    """How many changes --json has for each host."""
    return {name: len(host["changes"]) for name, host in json.loads(done.stdout)["hosts"].items()}


def test_plan_shows_an_equal_difference_once_and_changes_nothing(invoke: Invoke) -> None:
    for words in (("plan",), ("deploy", "--check", "--diff")):
        done = invoke(*words, "--extra-vars", "hello.text=planned")
        assert done.returncode == 2
        assert done.stdout.count("    +planned") == 1
        assert f"{', '.join(HOSTS)}  File /srv/hello/text" in done.stdout
        assert changes(invoke(*words, "--json", "--extra-vars", "hello.text=planned")) == dict.fromkeys(HOSTS, 2)
    assert on_host("hdss7-11", "ls /srv") == ""


def test_deploy_applies_then_is_a_no_op_then_fixes_drift(invoke: Invoke) -> None:
    made = invoke("deploy", "--json")
    assert (made.returncode, changes(made)) == (0, dict.fromkeys(HOSTS, 2)), made
    again = invoke("deploy", "--json")
    hosts = json.loads(again.stdout)["hosts"]
    assert {(host["status"], host["connections"], host["execs"]) for host in hosts.values()} == {("ok", 1, 1)}
    on_host("hdss7-11", "echo by hand >>/srv/hello/text")
    seen = invoke("plan")
    assert (seen.returncode, "    -by hand" in seen.stdout) == (2, True)
    mended = invoke("deploy", "--json", "--limit", "hdss7-11")
    assert (mended.returncode, changes(mended)) == (0, {"hdss7-11": 1})
    assert invoke("plan").returncode == 0


def test_bad_input_for_one_host_changes_none(invoke: Invoke, project: Path) -> None:
    wrong = project / "inventory" / "lab" / "host_vars" / "hdss7-21.yml"
    wrong.parent.mkdir()
    wrong.write_text("hello: {steps: many}\n")
    try:
        done = invoke("deploy", "--extra-vars", "hello.text=other")
    finally:
        shutil.rmtree(wrong.parent)
    assert done.returncode == 4
    assert "hdss7-21.yml:1:" in done.stderr
    assert "hello.steps" in done.stderr
    assert "other" not in "".join(on_host(host, "cat /srv/hello/text") for host in HOSTS)


def interrupted(project: Path, *words: str, twice: bool) -> tuple[int, str]:
    """Runs a command, interrupts it after the first change of a step, and gives exit code and what it said."""
    with subprocess.Popen(
        command(*words),
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stderr
        assert any("step 0" in line and "done" in line for line in process.stdout)
        process.send_signal(signal.SIGINT)
        if twice:
            assert process.stderr.readline() != ""  # it says that it heard
            process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=60)
        return process.returncode, out + errors


def test_ctrl_c_stops_between_two_changes_and_says_what_was_not_done(project: Path, invoke: Invoke) -> None:
    code, said = interrupted(project, "deploy", "--limit", "edge", "--extra-vars", "hello.steps=4", twice=False)
    assert code == 130
    assert re.search(r"^hdss7-11: .*Command step 3", said, re.M), said
    assert "Traceback" not in said
    assert invoke("deploy", "--limit", "edge", "--extra-vars", "hello.steps=4").returncode == 0


def test_a_second_ctrl_c_cuts_and_the_next_run_goes_on(project: Path, invoke: Invoke) -> None:
    slow = ("--limit", "edge", "--extra-vars", "hello.steps=2 hello.seconds=3")
    code, said = interrupted(project, "deploy", *slow, twice=True)
    assert (code, "Traceback" in said) == (130, False)
    assert invoke("deploy", *slow, "--wait", "60").returncode == 0
    assert invoke("plan", *slow).returncode == 0


def test_up_when_up_and_status_say_so(invoke: Invoke) -> None:
    assert invoke("lab.up", "--bare").returncode == 0
    assert [line.split()[0] for line in invoke("lab.status").stdout.splitlines()] == [*HOSTS, "hdss7-200"]


def test_ctrl_c_ends_an_ad_hoc_command_at_once(project: Path, invoke: Invoke) -> None:
    invoke("run", "--", "rm -f /tmp/begun")
    with subprocess.Popen(
        command("run", "--limit", "edge", "--timeout", "20", "--", "touch /tmp/begun; sleep 15"),
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        on_host("hdss7-11", "until test -e /tmp/begun; do sleep 0.1; done")
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=10)
    assert (process.returncode, len(errors.strip().splitlines())) == (130, 1), errors
