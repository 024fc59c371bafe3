"""docs/diagnosis.md, of what was seen."""

from __future__ import annotations

from tests.confusion.record import Book


def write(book: Book) -> None:
    """The page."""
