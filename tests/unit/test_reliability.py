"""docs/reliability.md says what was measured: no row of it is written by hand, and none is missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.lab.faults import table
from tests.lab.faults.core import CORE
from tests.lab.faults.record import Book, Row


def test_the_page_has_a_row_for_every_fault_that_is_tested() -> None:
    text = table.PAGE.read_text()
    assert [name for _, name in table.declared() if f"\n| **{name}**" not in text] == []


def test_the_page_has_no_row_that_is_not_tested() -> None:
    known = {name for _, name in table.declared()}
    lines = [line for line in table.PAGE.read_text().splitlines() if line.startswith("| **")]
    assert [line for line in lines if line.split("**")[1] not in known] == []


def test_every_core_row_is_a_row() -> None:
    assert {name for _, name in table.declared()} > CORE


def test_a_row_keeps_its_place_and_what_is_around_the_tables_stays(tmp_path: Path) -> None:
    book = Book(tmp_path / "logs" / "faults.json")
    book.write(Row("faults", "two operators", {"error": "a | b"}))
    text = table.page("before\n<!-- measured: faults -->\nof yesterday\n<!-- end -->\nafter\n", Book.read(book.path))
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "of yesterday" not in text
    assert "| **two operators** |  |  | a &#124; b |  |  |\n" in text
    assert json.loads(book.path.read_text())["machine"].endswith("cores")


def test_suites_that_run_side_by_side_keep_each_others_rows(tmp_path: Path) -> None:
    one, other = Book.read(tmp_path / "faults.json"), Book.read(tmp_path / "faults.json")
    one.write(Row("faults", "of one suite", {}))
    other.write(Row("years", "of the other", {}))
    assert set(Book.read(one.path).rows) == {"of one suite", "of the other"}


@pytest.mark.parametrize("name", table.COLUMNS)
def test_every_table_has_its_place_in_the_page(name: str) -> None:
    assert table.BEGIN.format(name) in table.PAGE.read_text()
