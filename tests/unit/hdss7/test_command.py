"""How a command ends: whatever it raises is an exit code and a paragraph."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hdss7.command import after_dashes, run
from hdss7.deploy import next_step, retyped
from hdss7.options import Options
from hdss7.report.log import KEPT, Log, folder
from provision.errors import Exit, FailedError, InputError, UnreachableError


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that logs go to."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return folder()


@pytest.mark.parametrize(
    ("error", "code"),
    [(InputError("bad"), 4), (UnreachableError("away"), 3), (FailedError("broke"), 1), (KeyboardInterrupt(), 130)],
)
def test_each_kind_of_error_has_its_exit_code(
    error: BaseException, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails() -> int:
        raise error

    assert run("deploy", False, fails) == code
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)


def test_a_traceback_goes_to_the_log_not_to_the_user(logs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("plan", True, lambda: 1 // 0) == 1
    said = capsys.readouterr()
    (log,) = logs.glob("*-plan-*.log")
    assert str(log) in said.err
    assert "Traceback" not in said.err
    assert "Traceback" in log.read_text()
    assert json.loads(said.out)["exit"] == 1


def test_logs_are_private_and_only_the_last_are_kept(logs: Path) -> None:
    for _ in range(KEPT + 5):
        Log.open("plan").write("hello")
    kept = sorted(logs.iterdir())
    assert len(kept) == KEPT
    assert kept[-1].stat().st_mode & 0o777 == 0o600
    assert "hello" in kept[-1].read_text()


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"forks": 1001}, "--forks 1001 is out of range"),
        ({"timeout": 0}, "--timeout 0 is out of range"),
        ({"proxy_port": 70000}, "--proxy-port 70000 is out of range"),
        ({"limit": " "}, "--limit is empty"),
        ({"pattern": ""}, "--pattern is empty"),
        ({"lab": ""}, "--lab is empty"),
    ],
)
def test_values_that_cannot_be_meant_are_refused(given: dict[str, object], what: str) -> None:
    with pytest.raises(InputError, match=what):
        Options(**given)  # type: ignore[arg-type]


def test_tags_are_joined_by_commas_and_repeated() -> None:
    chosen = Options(tags=("a,b", "c"), skip_tags=("d",)).selection()
    assert (sorted(chosen.tags), sorted(chosen.skip_tags)) == (["a", "b", "c"], ["d"])


def test_words_after_the_dashes_keep_their_quoting() -> None:
    assert after_dashes(["invoke", "run", "--", "sh", "-c", "echo 'a  b' -- c"]) == ("sh", "-c", "echo 'a  b' -- c")
    for nothing in (["invoke", "run"], ["invoke", "run", "--"]):
        with pytest.raises(InputError, match="no command to run"):
            after_dashes(nothing)


def test_the_next_step_repeats_what_was_chosen() -> None:
    options = Options(limit="nodes:!hdss7-22", extra_vars=("a=1 b=2",), tags=("base",), forks=3)
    assert retyped(options) == " --extra-vars 'a=1 b=2' --limit 'nodes:!hdss7-22' --forks 3 --tags base"
    log = Path("log")
    assert next_step(Exit.DIFFERENCES, options, "plan", log) == f"Next: invoke deploy{retyped(options)}"
    assert next_step(Exit.OK, Options(), "deploy", log) == "Next: invoke verify"
    assert "invoke ping" in next_step(Exit.UNREACHABLE, Options(), "deploy", log)
    assert next_step(Exit.INTERRUPTED, Options(), "deploy", log).startswith("Next: go on where this stopped")


@pytest.mark.parametrize(
    ("code", "options", "name", "line"),
    [
        (Exit.DIFFERENCES, Options(save="a.plan"), "plan", "Next: invoke deploy --plan a.plan"),
        (Exit.DIFFERENCES, Options(plan="a.plan", check=True), "deploy", "Next: invoke deploy --plan a.plan"),
        (Exit.DIFFERENCES, Options(run="R-1", check=True), "rollback", "Next: invoke rollback --run R-1"),
        (Exit.OK, Options(run="R-1"), "rollback", "Next: invoke verify"),
        (Exit.OK, Options(plan="a.plan"), "deploy", "Next: invoke verify"),
    ],
)
def test_the_next_step_is_a_command_that_takes_its_options(code: Exit, options: Options, name: str, line: str) -> None:
    assert next_step(code, options, name, Path("log")) == line
