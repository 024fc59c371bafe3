"""The command line as a whole, in processes of their own: exit code, one paragraph, no traceback, nothing changed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


def invoke(state: Path, *words: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """`invoke WORDS` by a user whose state folder is `state`: no lab of this machine is theirs."""
    return subprocess.run(
        [sys.executable, "-m", "invoke", *words],
        cwd=cwd,
        env={**os.environ, "XDG_STATE_HOME": str(state)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("deploy", "--dry"), 4, "nothing was done"),
        (("deploy", "--forks", "x"), 4, "--forks needs a number"),
        (("deploy", "--limit", ""), 4, "--limit is empty"),
        (("deploy", "--limit", "hdss7-12"), 4, "hdss7-1"),
        (("deploy", "--limit", "@nowhere"), 4, "the file of hosts 'nowhere' can't be read"),
        (("deploy", "--limit", "@/dev/null"), 4, "is empty"),
        (("deploy", "--limit", "masters[7:]"), 4, "leaves no host"),
        (("deploy", "--inventory", "nowhere"), 4, "there is no inventory at nowhere"),
        (("deploy", "--private-key", "nowhere"), 4, "there is no such file"),
        (("deploy", "--transport", "telnet"), 4, "--transport telnet: there is no such transport"),
        (("deploy", "--tags", "a,,b"), 4, "--tags has an empty tag"),
        (("verify", "-k", ""), 4, "-k is empty. Give a value"),
        (("run",), 4, "there is no command to run"),
        (("ping", "--lab", "Not A Lab"), 4, "can't be the name of a lab"),
        (("etcd.restore",), 4, "--snapshot is missing: nothing says what to restore"),
        (("etcd.restore", "--snapshot", "none.db"), 4, "--snapshot none.db: there is no such file"),
        (("etcd.restore", "--snapshot", "README.md"), 4, "README.md is no whole snapshot of etcd"),
        (("etcd.backup", "--limit", "hdss7-200"), 4, "leaves no host that a play is about"),
        (("ping",), 3, "the lab main is not up. Start it: invoke lab.up"),
        (("ping", "--lab", "other"), 3, "invoke lab.up --lab other"),
        (("lab.reboot", "hdss7-22"), 1, "there is no lab main"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_an_error_is_one_paragraph_with_its_exit_code(
    words: tuple[str, ...], code: int, said: str, tmp_path: Path
) -> None:
    done = invoke(tmp_path, *words)
    assert (done.returncode, said in done.stderr) == (code, True), done
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stdout == ""
    assert not (tmp_path / "hdss7" / "labs" / "main").exists()


def test_bad_input_is_one_json_object_for_a_program(tmp_path: Path) -> None:
    done = invoke(tmp_path, "plan", "--json", "--limit", "nodez")
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["exit"], answer["hosts"]) == (4, 4, {})
    assert answer["error"]["do"] == "Did you mean 'nodes'?"


@pytest.mark.parametrize("words", ["--list", "--help deploy", "lint"])
def test_who_reads_only_the_first_line_is_told_nothing_more(words: str) -> None:
    slow = f"{sys.executable} -u -m invoke {words} | head -n 1"
    done = subprocess.run(["sh", "-c", slow], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (len(done.stdout.splitlines()), done.stderr) == (1, "")


def test_help_explains_every_option_of_a_command(tmp_path: Path) -> None:
    from hdss7 import options as o

    shown = " ".join(invoke(tmp_path, "--help", "deploy").stdout.split())
    names = (*o.LOGIN, *o.CHOSEN, "check", "diff", "wait", "force", "prune", "plan", *o.OUTPUT)
    for option in (o.OPTIONS[name] for name in names):
        assert re.search(rf"--{option.name}(=\w+)? {re.escape(option.help)}", shown), option.name


@pytest.mark.parametrize(
    ("command", "usage", "rows"),
    [
        (
            "deploy",
            "Usage: invoke deploy [--options]",
            ("--verbose  ", "--forks=INT  ", "--tags=STRING  ", "--check  "),
        ),
        ("run", "Usage: invoke run [--options] -- WORDS", ("--timeout=INT  ",)),
        ("verify", "Usage: invoke verify [--options]", ("-k=STRING  ",)),
        ("hosts.trust", "Usage: invoke hosts.trust HOST [--options]", ("--yes  ",)),
    ],
)
def test_help_shows_how_each_option_is_typed(command: str, usage: str, rows: tuple[str, ...], tmp_path: Path) -> None:
    shown = invoke(tmp_path, "--help", command).stdout
    assert shown.splitlines()[0] == usage
    for row in rows:
        assert f"\n  {row}" in shown, shown


def test_commands_work_from_a_folder_inside_the_project(tmp_path: Path) -> None:
    done = invoke(tmp_path, "hosts", "--pattern", "edge", cwd=ROOT / "tests" / "unit")
    assert (done.returncode, "hdss7-11" in done.stdout) == (0, True), done


def test_the_list_of_commands_needs_neither_fabric_nor_yaml_nor_jinja() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "invoke", "--list"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert imported.isdisjoint(
        {"fabric", "paramiko", "jinja2", "msgspec", "pytest", "rich", "provision.project", "lab"}
    )


INTERRUPTED = """
import sys, threading
from hdss7.signals import interrupts
from hdss7.command import run
def work():
    with interrupts() as stop:
        print("working", flush=True)
        stop.wait()
        print("stopped", flush=True)
        sys.stdin.readline()
    return 130
sys.exit(run("deploy", False, work))
"""


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_the_second_interrupt_cuts_connections(sign: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "working\n"
        process.send_signal(sign)
        assert process.stdout.readline() == "stopped\n"
        process.send_signal(sign)
        assert process.wait(10) == 130
        assert process.stderr
        said = process.stderr.read()
    assert "Stopping" in said
    assert "Cut." in said
    assert "Traceback" not in said
