"""What was seen of the catalogue's faults: kept beside the bundles, and what of it is to be made again."""

from __future__ import annotations

from pathlib import Path

from tests.confusion.record import Book, Quiet, Seen, question, version

NAMES = ("denied", "selector", "denied+service-misspelt")


def test_what_was_seen_is_kept_and_replaced(tmp_path: Path) -> None:
    book = Book(tmp_path)
    for seconds in (2.0, 1.0):
        book.write(Seen("selector", version("selector"), seconds))
        book.write(Seen("denied", version("denied"), seconds))
    kept = Book(tmp_path)
    assert [kept.seen(name) for name in NAMES] == [*(Seen(name, version(name), 1.0) for name in NAMES[:2]), None]
    kept.add(Quiet("load", 1.0))
    assert Book(tmp_path).quiet() == [Quiet("load", 1.0)]


def test_what_failed_or_has_changed_is_due(tmp_path: Path) -> None:
    book = Book(tmp_path)
    assert book.due(NAMES) == list(NAMES)
    book.write(Seen("denied", "an earlier one"))
    book.write(Seen("selector", version("selector"), problem="no effect"))
    book.write(Seen(NAMES[2], version(NAMES[2]), asked=question()))
    assert book.due(NAMES) == ["denied", "selector"]


def test_what_an_earlier_script_asked_is_stale(tmp_path: Path) -> None:
    book = Book(tmp_path)
    book.write(Seen("denied", version("denied"), asked="an earlier one"))
    book.write(Seen("selector", version("selector"), asked=question()))
    assert book.stale(NAMES) == ["denied"]
