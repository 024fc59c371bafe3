"""What can be typed wrongly: refused with what to do, before any command begins."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest
from invoke.executor import Executor
from invoke.program import Program

import tasks
from hdss7 import options
from hdss7.argv import INSTEAD, SHORT


class Recorder(Executor):  # type: ignore[misc]
    """Notes what would have been run, and runs nothing."""

    ran: list[tuple[str, dict[str, Any]]]

    def execute(self, *called: Any) -> dict[Any, Any]:
        Recorder.ran += [(context.name, context.as_kwargs) for context in called]
        return {}


def typed(line: str) -> int:
    """The exit code of `invoke LINE`, as far as its words go."""
    Recorder.ran = []
    program = Program(namespace=tasks.namespace, executor_class=Recorder, binary="invoke")
    try:
        program.run(["invoke", *shlex.split(line)])
    except SystemExit as end:
        return int(end.code or 0)
    return 0


WRONG = [
    ("deploy --chek", "--chek is not an option of deploy", "Did you mean '--check'?"),
    ("deploy --limt nodes", "--limt is not an option of deploy", "Did you mean '--limit'?"),
    ("deploy --limit", "--limit needs a value", "invoke --help deploy"),
    ("deploy --limit --check", "--limit needs a value", ""),
    ("deploy --forks x", "--forks needs a number", "'x' was typed"),
    ("deploy --forks=", "--forks needs a number", ""),
    ("deploy --forks -1", "--forks needs a number", ""),
    ("lint --extra-vars edge.keepalive=\udcff", "an argument is not UTF-8", "'edge.keepalive=\\udcff' was typed"),
    ("deploy --limit \udcff", "an argument is not UTF-8", ""),
    ("deploy --check=yes", "--check takes no value", "Type --check alone"),
    ("deploy --check --check", "--check was given twice", ""),
    ("deploy --limit a --limit b", "--limit was given twice", ""),
    ("deploy --dry", "--dry is not an option of deploy: nothing was done", "--check"),
    ("--dry deploy", "--dry is not an option: nothing was done", "--check"),
    ("deploy --limit nodes -R", "-R is not an option of deploy", "--check"),
    ("deploy -w", "-w is not an option of deploy", "where a play has serial"),
    ("deploy -T 5", "-T is not an option of deploy", "ansible_ssh_timeout"),
    ("-T 5 deploy", "--command-timeout is not an option", "ansible_ssh_timeout"),
    ("deploy --config x", "--config is not an option of deploy", "--extra-vars @FILE"),
    ("deploy --list-depth 2", "--list-depth is not an option of deploy", "invoke --list"),
    ("deploy --list", "--list is not an option of deploy", "invoke --list"),
    ("deploy --pty", "--pty is not an option of deploy", "Its options"),
    ("--pty deploy", "--pty is not an option", "no effect"),
    ("deploy --list-hosts", "--list-hosts is not an option of deploy", "invoke hosts --pattern"),
    ("--check deploy", "--check stands before the command", "invoke deploy --check"),
    ("-C deploy", "-C stands before the command", "invoke deploy --check"),
    ("deply", "there is no command 'deply'", "Did you mean 'deploy'?"),
    ("lab.upp", "there is no command 'lab.upp'", "Did you mean 'lab.up'?"),
    ("deploy verfy", "there is no command 'verfy'", "Did you mean 'verify'?"),
    ("deploy hdss7-21", "deploy does not know the word 'hdss7-21'", "--limit hdss7-21"),
    ("run --limit nodes uptime", "run does not know the word 'uptime'", "invoke run ... -- uptime"),
    ("deploy -- --check", "deploy takes nothing after --", ""),
    ("hosts --limit nodes", "--limit is not an option of hosts", "--pattern"),
    ("hosts.trust", "hosts.trust needs the name of a host", "invoke hosts.trust HOST"),
    ("lab.reboot --hard", "lab.reboot needs the name of a host", ""),
    ("deploy verify --json", "--json is not an option of verify", ""),
    ("plan deploy --json", "--json is for one command a run", "one by one"),
    ("--help deply", "No idea what 'deply' is!", "invoke --list"),
    ("--list nothing", "Sub-collection 'nothing' not found.", "invoke --list"),
    ("hosts nodes", "hosts does not know the word 'nodes'", "--pattern nodes"),
    ("deploy --wait -1", "--wait needs a number", "--wait 10"),
]


@pytest.mark.parametrize(("line", "what", "do"), WRONG, ids=[line for line, _, _ in WRONG])
def test_bad_usage_exits_4_with_one_paragraph(
    line: str, what: str, do: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert typed(line) == 4
    assert Recorder.ran == []
    said = capsys.readouterr().err.strip()
    assert said.startswith(what)
    assert do in said
    assert "\n" not in said


@pytest.mark.parametrize(("short", "long"), SHORT.items())
def test_ansibles_short_options_are_answered_with_the_long_one(
    short: str, long: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for line in (f"deploy {short} x", f"deploy --limit nodes {short}", f"deploy {short}x"):
        assert typed(line) == 4
        assert f"Options are written out: {long}" in capsys.readouterr().err
        assert Recorder.ran == []


def test_every_option_that_an_answer_names_exists() -> None:
    known = {f"--{option.name}" for option in options.OPTIONS.values()}
    known |= {"--list", "--pattern"}
    named = {word.strip("():;,") for text in (*SHORT.values(), *INSTEAD.values()) for word in text.split()}
    assert {word for word in named if word.startswith("--")} <= known


def test_a_usage_error_is_one_json_object_when_json_was_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert typed("deploy --json --chek") == 4
    said = json.loads(capsys.readouterr().out)
    assert (said["hosts"], said["exit"]) == ({}, 4)
    assert said["error"]["do"] == "Did you mean '--check'?"


def test_json_after_the_dashes_belongs_to_the_other_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert typed("deploy --chek -- --json") == 4
    assert capsys.readouterr().out == ""


def test_options_reach_the_command_as_they_were_meant() -> None:
    line = (
        "deploy --limit 'nodes:!hdss7-22' --extra-vars a=1 --extra-vars='b=2 c=3' --verbose --verbose --forks=3 --check"
    )
    assert typed(line) == 0
    ((name, given),) = Recorder.ran
    assert name == "deploy"
    chosen = {key: given[key] for key in ("limit", "extra_vars", "verbose", "forks", "check", "diff", "inventory")}
    assert chosen == {
        "limit": "nodes:!hdss7-22",
        "extra_vars": ["a=1", "b=2 c=3"],
        "verbose": 2,
        "forks": 3,
        "check": True,
        "diff": False,
        "inventory": [],
    }


@pytest.mark.parametrize(
    ("line", "called"),
    [
        ("deploy verify", ["deploy", "verify"]),
        ("deploy --limit edge verify -k dns", ["deploy", "verify"]),
        ("run --limit nodes -- uptime --json", ["run"]),
        ("hosts --pattern all", ["hosts.show"]),
        ("hosts.trust hdss7-11", ["hosts.trust"]),
        ("hosts.trust --host hdss7-11", ["hosts.trust"]),
        ("lab.exec hdss7-11 -- ps aux", ["lab.exec"]),
        ("lab.reboot hdss7-22 --hard --lab t", ["lab.reboot"]),
        ("lab.open --host demo.od.com --port 9000", ["lab.open"]),
        ("deploy --extra-vars -x=1", ["deploy"]),
        ("deploy --limit deploy", ["deploy"]),
    ],
)
def test_what_can_be_meant_is_run(line: str, called: list[str]) -> None:
    assert typed(line) == 0
    assert [name for name, _ in Recorder.ran] == called


HELP = ["deploy --help", "deploy -h", "--help deploy", "trace --help", "init -h", "hosts.trust --help"]


@pytest.mark.parametrize("line", [*HELP, "--list", "--list lab", "--version"])
def test_help_and_lists_are_shown_and_run_nothing(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert typed(line) == 0
    assert Recorder.ran == []
    assert capsys.readouterr().out


def test_every_command_says_in_one_line_what_it_does() -> None:
    for name in tasks.namespace.task_names:
        first = (tasks.namespace[name].__doc__ or "").strip().splitlines()[0]
        assert first[0].isupper(), name
        assert first.endswith("."), name


def test_no_option_has_a_short_form_but_pytests_k() -> None:
    short = {flag for context in tasks.namespace.to_contexts() for flag in context.flags if not flag.startswith("--")}
    assert short == {"-k"}
