"""Open files that a program needs, held against the host's hard limit."""

from __future__ import annotations

from pathlib import Path

import pytest

from provision.errors import Exit
from provision.facts.host import ShellAnswer
from provision.resources import OpenFiles
from provision.resources.open_files import OpenFilesError
from tests.unit.machine import Machine


def needing(files: int, pidfile: str = "/run/nginx.pid") -> OpenFiles:
    return OpenFiles(
        program="nginx", needed=files, pidfile=pidfile, setting="edge.connections", line="x.yml:3", do="Write fewer"
    )


@pytest.mark.parametrize("limit", ["20000", "524288", "unlimited", ""])
def test_a_limit_that_is_high_enough_is_nothing_to_do(limit: str) -> None:
    guard = needing(16640)
    assert guard.compare({guard.questions()[0]: ShellAnswer(0, limit)}, ()) is None


def test_a_limit_that_is_too_low_is_refused_with_both_numbers() -> None:
    guard = needing(40256)
    with pytest.raises(OpenFilesError) as refused:
        guard.compare({guard.questions()[0]: ShellAnswer(0, "20000\n")}, ())
    assert refused.value.exit is Exit.BAD_INPUT
    for word in ("edge.connections", "40256", "20000", "x.yml:3", "Write fewer"):
        assert word in str(refused.value)


@pytest.mark.parametrize("pid", ["self", "", "none such"])
def test_the_limit_is_the_programs_or_else_the_first_process(tmp_path: Path, pid: str) -> None:
    file = tmp_path / "pid"
    file.write_text(pid)
    (question,) = needing(1, str(file)).questions()
    answer = Machine(tmp_path).ask(question)
    assert answer.output.strip().isdigit() or answer.output.strip() == "unlimited"
