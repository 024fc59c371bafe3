"""Build steps end with the build, and a failing one says why."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from lab.artifacts import tools
from lab.artifacts.runner import Runner, output
from provision.errors import FailedError, InputError

ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="build steps run in a pid namespace, which needs root")
SHELL_OF_A_BUILD = """
import sys
from pathlib import Path
from lab.artifacts.runner import Runner
Runner().run("a step", ["sh", "-c", "sleep $0 & echo there; wait", sys.argv[1]], Path(sys.argv[2]), Path("/tmp"))
"""


def running(seconds: str) -> bool:
    """Whether `sleep SECONDS` runs on this machine; each test has a number of its own."""
    wanted = f"sleep\0{seconds}\0".encode()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cmdline").read_bytes() == wanted:
                return True
        except OSError:  # ended meanwhile
            continue
    return False


def wait_until(seconds: str, state: bool) -> None:
    deadline = time.monotonic() + 10
    while running(seconds) is not state:
        assert time.monotonic() < deadline, f"sleep {seconds}: still {not state}"
        time.sleep(0.02)


@ROOT_ONLY
def test_a_failing_step_shows_its_last_lines_and_where_the_rest_is(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with pytest.raises(FailedError) as error:
        Runner().run("building it", ["sh", "-c", "seq 100; echo broken >&2; exit 3"], log, tmp_path)
    text = str(error.value)
    assert "building it failed: sh ended with exit code 3" in text
    assert "100\n  broken" in text
    assert "\n  1\n" not in text
    assert str(log) in text


@ROOT_ONLY
def test_a_killed_build_takes_everything_it_started_with_it(tmp_path: Path) -> None:
    seconds = f"4711.{os.getpid()}"
    builder = subprocess.Popen([sys.executable, "-c", SHELL_OF_A_BUILD, seconds, str(tmp_path / "log")])
    wait_until(seconds, True)
    builder.send_signal(signal.SIGKILL)
    builder.wait()
    wait_until(seconds, False)


@ROOT_ONLY
def test_stop_ends_what_runs_and_refuses_what_comes_after(tmp_path: Path) -> None:
    seconds, runner, errors = f"4712.{os.getpid()}", Runner(), []

    def step() -> None:
        try:
            runner.run("a step", ["sleep", seconds], tmp_path / "log", tmp_path)
        except FailedError as error:
            errors.append(str(error))

    thread = threading.Thread(target=step)
    thread.start()
    wait_until(seconds, True)
    runner.stop()
    thread.join(10)
    wait_until(seconds, False)
    assert "interrupted" in errors[0]
    with pytest.raises(FailedError, match="interrupted"):
        runner.run("another step", ["true"], tmp_path / "log", tmp_path)


def test_a_missing_program_is_named_with_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="apt-get install mmdebstrap"):
        Runner().run("building it", ["mmdebstrap"], tmp_path / "log", tmp_path)
    with pytest.raises(InputError, match="dpkg-deb"):
        output("reading it", ["dpkg-deb"])


def test_a_failing_question_says_what_the_program_said() -> None:
    with pytest.raises(FailedError, match=r"asking failed: sh ended with exit code 4\. no idea"):
        output("asking", ["sh", "-c", "echo no idea >&2; exit 4"])


def test_preflight_gets_every_program_that_builds_call() -> None:
    assert {"mmdebstrap", "unshare", "apt-get"} <= set(tools.commands())
