"""docs/reliability.md, written from what the fault tests measured: `python -m tests.lab.faults.table`."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.lab.conftest import ROOT
from tests.lab.faults.record import Book, Row

PAGE = ROOT / "docs" / "reliability.md"
COLUMNS: Mapping[str, Mapping[str, str]] = {
    "rolls": {
        "drained": "what clients saw",
        "receipts": "the run's own receipts",
        "undrained": "the same without draining",
        "why": "must it fail, and why",
    },
    "stops": {
        "asked": "the change",
        "clients": "what clients saw",
        "error": "what the run printed",
        "after": "the site afterwards",
        "next": "the next run, without it",
    },
    "cuts": {
        "steps": "steps at which it was cut",
        "clients": "what clients saw",
        "after": "what was on the hosts",
        "next": "the next run",
    },
    "faults": {
        "asked": "what was deployed",
        "clients": "what clients saw",
        "error": "what the run printed",
        "after": "the site afterwards",
        "next": "the next run",
    },
    "entrance": {"clients": "what clients of the other sites saw", "after": "what else was seen"},
    "tls": {"asked": "the command", "clients": "what clients saw", "after": "what else was seen"},
    "two-edges": {"clients": "what clients of the address saw", "after": "what verify said, or what was left"},
    "years": {"asked": "the command", "clients": "what clients saw", "after": "the site afterwards"},
}
LONGEST = 900  # characters of a cell
BEGIN, END = "<!-- measured: {} -->", "<!-- end -->"


def table(name: str, book: Book) -> list[str]:
    """One table in Markdown, its rows in the order of the tests; one that was never measured says so."""
    columns = COLUMNS[name]
    never = dict.fromkeys(columns, "not measured")
    rows = [book.rows.get(row) or Row(name, row, never) for where, row in declared() if where == name]
    lines = [_line(("", *columns.values())), _line(("---",) * (len(columns) + 1))]
    return lines + [_line((_head(row), *(row.cells.get(column, "") for column in columns))) for row in rows]


def _head(row: Row) -> str:
    what = row.cells.get("what", "")
    return f"**{row.name}**{f': {what}' if what else ''}"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(_cell(text) for text in cells)} |"


def _cell(text: str) -> str:
    """Without a terminal's colours, and a program's long log in the midst of a paragraph left out."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", text).replace("|", "&#124;").replace("<", "&lt;")
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]} […] {text[-LONGEST // 2 :]}"


def page(text: str, book: Book) -> str:
    """The page with each of its tables made anew: what stands between their marks is replaced, the rest stays."""
    blocks = {name: table(name, book) for name in COLUMNS}
    for name, lines in {
        **blocks,
        "when": [f"The last of these was measured on {book.when}, with {book.machine}."],
    }.items():
        begin = BEGIN.format(name)
        before, found, rest = text.partition(begin)
        if not found:
            continue
        _, _, after = rest.partition(END)
        text = "\n".join([before + begin, *lines, END]) + after
    return text


def main(path: Path = PAGE) -> None:
    """Writes the page."""
    book = Book.read()
    if missing := [name for _, name in declared() if name not in book.rows]:
        sys.exit(f"Not measured at this commit: {', '.join(missing)}. make test-all measures them.")
    path.write_text(page(path.read_text(), book))


def declared() -> list[tuple[str, str]]:
    """(table, name) of every row that the tests have."""
    from tests.lab.entrance import ROWS as ENTRANCE
    from tests.lab.faults.catalog import FAULTS
    from tests.lab.faults.test_cuts import ROWS
    from tests.lab.faults.test_faults import OPERATORS
    from tests.lab.faults.test_rolls import CHANGES
    from tests.lab.tls_site import ROWS as TLS
    from tests.lab.two_edges import ROWS as TWO_EDGES
    from tests.lab.years import ROWS as YEARS

    rows = [("rolls", change.name) for change in CHANGES] + [("cuts", name) for name in ROWS]
    rows += [(fault.table, fault.name) for fault in FAULTS]
    rows += [("faults", OPERATORS), *(("entrance", name) for name in ENTRANCE)]
    rows += [("tls", name) for name in TLS]
    rows += [("two-edges", name) for name in TWO_EDGES]
    return [*rows, *(("years", name) for name in YEARS)]


if __name__ == "__main__":
    main()
