"""The tables of `make bench-peers`: figures are medians, ratios are against the fastest, the page keeps the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.clock import Sample
from bench.peers.table import BEGIN, END, Circumstances, FloorRow, InfraRow, Row, ratios, report, write
from bench.peers.workload import Action

ABOUT = Circumstances("one machine with 2 cores", "2026-11-30", 3, ("ansible-core 2.19.14",), ("X took no part.",))


def samples(*walls: float) -> list[Sample]:
    return [Sample(wall, wall / 2, 1, "") for wall in walls]


def row(title: str, *seconds: float, ours: bool = False) -> Row:
    """One that takes so many seconds for each action, three times alike."""
    return Row(title, {a: samples(*[s] * 3) for a, s in zip(Action, seconds, strict=True)}, (3, 88), ours)


def test_the_table_has_medians_of_each_action() -> None:
    uneven = Row("pyinfra", {action: samples(9, 1, 2) for action in Action}, (3, 88))
    lines = report([uneven], [FloorRow("paramiko", samples(0.5, 0.1, 0.3))], [], ABOUT).splitlines()
    assert "| pyinfra | 2.00 | 2.00 | 2.00 | 2.00 | 1.00 | 3 / 88 |" in lines
    assert "| paramiko | 0.30 |" in lines


def test_the_report_says_machine_versions_and_who_is_absent() -> None:
    text = report([row("pyinfra", 1, 1, 1, 1)], [], [], ABOUT)
    for said in ("2026-11-30", "one machine with 2 cores", "medians of 3 rounds", "ansible-core 2.19.14", "X took no"):
        assert said in text


def test_a_ratio_is_against_the_fastest_of_that_action() -> None:
    rows = [row("slow", 4, 4, 4, 2), row("fast", 2, 2, 2, 4), row("own", 1, 1, 1, 3, ours=True)]
    said = ratios(rows, [FloorRow("paramiko", samples(0.8))])
    assert said == [
        "own: a no-op takes 1.25 times the floor (paramiko)",
        "own, no-op: 2.00 times as fast as fast, the fastest of the others there",
        "own, check: 2.00 times as fast as fast, the fastest of the others there",
        "own, one change: 2.00 times as fast as fast, the fastest of the others there",
        "own, cold: takes 1.50 times as long as slow, the fastest of the others there",
    ]


def test_every_row_of_a_table_has_as_many_cells_as_its_head() -> None:
    text = report([row("a", 1, 1, 1, 1), row("b", 1, 1, 1, 1, ours=True)], [FloorRow("f", samples(1))], [], ABOUT)
    tables = [part.splitlines() for part in text.split("\n\n") if part.startswith("|")]
    assert [len({line.count("|") for line in table}) for table in tables] == [1, 1]


def test_the_page_keeps_what_is_outside_the_marks(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    write(page, "new\n")
    write(page, "newer\n")
    assert page.read_text() == f"before\n{BEGIN}\n\nnewer\n\n{END}\nafter\n"


@pytest.mark.parametrize("text", ["nothing\n", f"{BEGIN}\n", f"{END}\n{BEGIN}\n"])
def test_a_page_without_both_marks_is_refused(tmp_path: Path, text: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(text)
    with pytest.raises(ValueError, match="has no line"):
        write(page, "new\n")
    assert page.read_text() == text


def test_tests_are_beside_the_fastest_of_the_others() -> None:
    tests = [
        InfraRow("slow", samples(4, 4)),
        InfraRow("fast", samples(1, 3)),
        InfraRow("ours", samples(1, 1), ours=True),
    ]
    lines = report([], [], tests, ABOUT).splitlines()
    assert "| fast | 2.00 | 1.00 |" in lines
    assert "| **ours** | 1.00 | 0.50 |" in lines
    assert "- ours, testinfra tests: 2.00 times as fast as fast" in lines
