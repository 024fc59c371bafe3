"""Questions asked of this very machine, by the same shell that a host has."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from provision.facts.host import (
    ContentQuestion,
    FileQuestion,
    PackageQuestion,
    ProgramQuestion,
    ReplacedBinaryQuestion,
    ShellAnswer,
    ShellQuestion,
    StampQuestion,
    SysctlQuestion,
)
from provision.facts.platform import PlatformQuestion
from provision.facts.question import Question, ask
from provision.resources.kubernetes.live import ObjectsQuestion, Unavailable

SERVICE = {"kind": "Service", "metadata": {"namespace": "default", "name": "web"}}


def answers(questions: Iterable[Question]) -> dict[Question, Any]:
    asked = ask(questions, "mark-0")
    run = subprocess.run(["sh", "-c", asked.script], capture_output=True, text=True, timeout=60, check=True)
    return asked.answers(run.stdout)


def test_a_file_says_kind_mode_owner_and_checksum(tmp_path: Path) -> None:
    file = tmp_path / "a file's name"
    file.write_text("hello")
    file.chmod(0o640)
    state = answers([FileQuestion(str(file))])[FileQuestion(str(file))]
    assert (state.kind, state.mode, state.owner) == ("f", "640", file.owner())
    assert state.sha256 == hashlib.sha256(b"hello").hexdigest()


def test_the_checksum_of_a_link_is_that_of_its_target(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("x")
    (tmp_path / "link").symlink_to("real")
    question = FileQuestion(str(tmp_path / "link"))
    state = answers([question])[question]
    assert (state.kind, state.target, state.sha256) == ("l", "real", hashlib.sha256(b"x").hexdigest())


def test_what_is_not_there_does_not_exist(tmp_path: Path) -> None:
    question = FileQuestion(str(tmp_path / "none"))
    assert not answers([question])[question].exists


def test_a_replaced_file_has_another_identity(tmp_path: Path) -> None:
    file, question = tmp_path / "f", FileQuestion(str(tmp_path / "f"), content=False)
    file.write_text("same")
    first = answers([question])[question].identity
    (tmp_path / "other").write_text("same")
    os.utime(tmp_path / "other", ns=(file.stat().st_atime_ns, file.stat().st_mtime_ns))
    (tmp_path / "other").rename(file)
    assert answers([question])[question].identity != first


def test_text_without_a_final_newline_comes_back_unchanged(tmp_path: Path) -> None:
    text = "a 'b' \"c\"\n\n$d `e`\\\nlast, without end"
    (tmp_path / "f").write_text(text)
    question = ContentQuestion(str(tmp_path / "f"))
    assert answers([question])[question] == text


@pytest.mark.parametrize(
    ("fragment", "answer"),
    [
        ("true", ShellAnswer(0, "")),
        ("echo one; echo two; exit 7", ShellAnswer(7, "one\ntwo")),
        ("printf 'mark-0 0 0'", ShellAnswer(0, "mark-0 0 0")),
        ("no-such-command-here 2>/dev/null", ShellAnswer(127, "")),
        ("exit 300", ShellAnswer(44, "")),
    ],
)
def test_a_fragment_answers_with_its_code_and_output(fragment: str, answer: ShellAnswer) -> None:
    question = ShellQuestion(fragment)
    assert answers([question, ShellQuestion("echo neighbour")])[question] == answer


def test_a_stopping_fragment_does_not_stop_its_neighbours() -> None:
    first, second = ShellQuestion("exit 9"), ShellQuestion("echo still here")
    assert answers([first, second])[second].output == "still here"


def test_equal_questions_are_asked_once_and_a_kind_in_one_command() -> None:
    many = [FileQuestion(f"/etc/f{n % 100}") for n in range(200)]
    script = ask(many, "mark-0").script
    assert script.count("find ") == 1
    assert script.count("sha256sum ") == 1
    assert script.count("/etc/f7 ") == 2  # once for find, once for sha256sum


def test_packages_kernel_parameters_and_the_platform_of_this_machine() -> None:
    package, none = PackageQuestion("dpkg"), PackageQuestion("no-such-package")
    kernel, unknown = SysctlQuestion("kernel.ostype"), SysctlQuestion("no.such.key")
    found = answers(
        [package, none, kernel, unknown, PlatformQuestion(), StampQuestion("none"), ProgramQuestion("none")]
    )
    assert found[package]
    assert found[none] == ""
    assert (found[kernel], found[unknown]) == ("Linux", "")
    assert found[PlatformQuestion()].machine == os.uname().machine
    assert found[ProgramQuestion("none")] == ()


def test_a_binary_that_was_replaced_under_its_process_is_found(tmp_path: Path) -> None:
    binary, pidfile = tmp_path / "napper", tmp_path / "pid"
    shutil.copy("/bin/sleep", binary)
    running = [subprocess.Popen([binary, "60"])]
    any_process, the_one = ReplacedBinaryQuestion(str(binary)), ReplacedBinaryQuestion(str(binary), str(pidfile))
    pidfile.write_text(f"{running[0].pid}\n")
    try:
        assert answers([any_process, the_one]) == {any_process: False, the_one: False}
        shutil.copy("/bin/sleep", tmp_path / "new")
        (tmp_path / "new").replace(binary)
        assert answers([any_process, the_one]) == {any_process: True, the_one: True}
        running.append(subprocess.Popen([binary, "60"]))
        pidfile.write_text(f"{running[1].pid}\n")
        assert answers([any_process, the_one]) == {any_process: True, the_one: False}
    finally:
        for process in running:
            process.kill()
            process.wait()


def test_an_answer_that_was_cut_short_is_no_answer() -> None:
    asked = ask([ShellQuestion("echo 1")], "mark-0")
    with pytest.raises(ValueError, match="ended early"):
        asked.answers("bW")


def test_a_dead_api_is_waited_for_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ObjectsQuestion, "timeout", 1)
    stuck = tmp_path / "kubectl"
    stuck.write_text("#!/bin/sh\nexec sleep 60\n")
    stuck.chmod(0o755)
    question = ObjectsQuestion(str(stuck), '{"kind": "Service"}')
    assert answers([question])[question] == Unavailable("no answer within 1 s")


@pytest.mark.parametrize(
    ("code", "found"), [(0, {("Service", "default", "web"): SERVICE}), (1, Unavailable("refused"))]
)
def test_kubectls_warnings_are_shown_only_when_it_fails(tmp_path: Path, code: int, found: object) -> None:
    # a cluster whose metrics server is away has such lines before every answer
    talkative = tmp_path / "kubectl"
    said = 'echo "couldn\'t get resource list for metrics.k8s.io/v1beta1" >&2; echo refused >&2'
    talkative.write_text(f"#!/bin/sh\n{said}\ngrep -q web && echo '{json.dumps(SERVICE)}'\nexit {code}\n")
    talkative.chmod(0o755)
    question = ObjectsQuestion(str(talkative), json.dumps(SERVICE))
    assert answers([question])[question] == found
