"""The runner of suites: what fails runs once more and is counted, what passed is left out when a run is resumed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import outcomes
from tests.suites import APART, LAB, ROOT, SUITES, Part, Result, Run, closing, tallied

FLAKY = """
from pathlib import Path

TRIES = Path(__file__).with_name("tries")

def test_steady():
    TRIES.open("a").write("steady\\n")

def test_flaky():
    TRIES.open("a").write("flaky\\n")
    assert TRIES.read_text().count("flaky") > {failures}
"""


def part(folder: Path, failures: int) -> Part:
    (folder / "test_it.py").write_text(FLAKY.format(failures=failures))
    return Part("it", (str(folder / "test_it.py"),), ("-p", "no:cacheprovider") if failures < 0 else (), rows=True)


def run(folder: Path, *, retry: bool = False, resume: bool = False) -> Run:
    return Run(folder, core=False, retry=retry, resume=resume)


def tries(folder: Path) -> list[str]:
    return (folder / "tries").read_text().split()


def test_what_fails_once_is_run_once_more_and_counted(tmp_path: Path) -> None:
    result = run(tmp_path, retry=True).part(part(tmp_path, failures=1))
    assert [name.rpartition("::")[2] for name in result.second] == ["test_flaky"]
    assert (result.counts, result.broken) == ({"passed": 2}, ())
    assert tries(tmp_path) == ["steady", "flaky", "flaky"]


def test_what_fails_twice_has_failed(tmp_path: Path) -> None:
    result = run(tmp_path, retry=True).part(part(tmp_path, failures=2))
    assert (result.counts, result.broken) == ({"passed": 1, "failed": 1}, ("it",))


def test_a_resumed_run_leaves_out_what_has_passed(tmp_path: Path) -> None:
    once = part(tmp_path, failures=1)
    assert run(tmp_path).part(once).broken == ("it",)
    result = run(tmp_path, resume=True).part(once)
    assert (result.counts, result.broken) == ({"passed": 2}, ())
    assert tries(tmp_path) == ["steady", "flaky", "flaky"]
    assert run(tmp_path, resume=True).part(once).broken == ()
    assert tries(tmp_path) == ["steady", "flaky", "flaky"]


def test_a_part_that_can_not_be_collected_has_failed(tmp_path: Path) -> None:
    result = run(tmp_path, retry=True).part(Part("it", (str(tmp_path / "test_none.py"),)))
    assert (result.counts, result.broken) == ({}, ("it",))


def test_the_tally_adds_up_over_several_runs(tmp_path: Path) -> None:
    first = Result("one", 1, {outcomes.PASSED: 1}, ("a",))
    second = Result("two", 1, {outcomes.PASSED: 1}, ("b",))
    assert tallied(tmp_path / "logs" / "tally", [first]) == [first]
    assert [result.suite for result in tallied(tmp_path / "logs" / "tally", [second])] == ["one", "two"]


def test_the_last_line_counts_all_parts() -> None:
    line = closing([Result("a", 60.5, {"passed": 3, "skipped": 1}), Result("b", 1, {"passed": 2, "failed": 1})])
    assert line.strip("= ") == "1 failed, 5 passed, 1 skipped in 61.50s (0:01:02)"


@pytest.mark.parametrize("suite", SUITES)
def test_every_path_of_a_suite_is_there(suite: str) -> None:
    parts = [part for lane in SUITES[suite] for part in lane]
    ignored = [option.removeprefix("--ignore=") for part in parts for option in part.options if "--ignore=" in option]
    paths = [path for part in parts for path in part.paths]
    assert [path for path in (*paths, *ignored) if not (ROOT / path).exists()] == []
    others = [path for part in APART for path in part.paths]
    apart = {path for path in (*paths, *others) if path.endswith(".py")} | {f"{LAB}/faults"}
    assert suite != "test" or set(ignored) == apart
