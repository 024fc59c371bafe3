"""docs/diagnosis.md: what was said of every fault that was made on a lab, right or wrong, and how long it took."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.confusion.record import Book, Seen, bundle, bundle_path, names, question
from tests.confusion.run import HEALTHY
from urltrace.catalogue.fault import Fault, faults, named, pairs
from urltrace.catalogue.mark import Mark, marked
from urltrace.finding import HOPS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "diagnosis.md"
BEGIN, END = "<!-- measured -->", "<!-- end -->"
LONGEST = 220


@dataclass(frozen=True)
class Row:
    """A fault as it was made last. mark: '' when it was never made. hop: that was named, '' for none."""

    name: str
    what: str
    wanted: str
    seen: Seen | None
    mark: Mark | str = ""
    said: str = ""
    hop: str = ""


def write(book: Book) -> None:
    """Replaces what stands between the two marks of the page."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text("\n".join((before + BEGIN, *lines(book), END)) + after, encoding="utf-8")


def lines(book: Book) -> list[str]:
    rows = [_row(name, book) for name in names(faults(), pairs())]
    made = [row for row in rows if row.mark]
    singles = [row for row in made if "+" not in row.name]
    return [
        "",
        *_totals(singles, [row for row in made if "+" in row.name], rows),
        *_healthy(book),
        "",
        "## Wrong, missed and false alarms",
        "",
        *(_wrong(made) or ["None."]),
        "",
        "## Wrong when it was made, and right since the judgement of its kind was mended",
        "",
        *([_mended(row) for row in made if row.mark == "right" and row.seen and row.seen.live not in ("", "right")]),
        "",
        "## Which hop was named",
        "",
        *_matrix(singles),
        "",
        "## Every fault",
        "",
        "| fault | what was broken | must be named | verdict | | s |",
        "|---|---|---|---|---|---|",
        *(_line(row) for row in rows),
        "",
    ]


def _wrong(made: Sequence[Row]) -> list[str]:
    return [f"- **{row.name}** ({row.what}): {row.mark}. Said: {row.said}" for row in made if row.mark != "right"]


def _mended(row: Row) -> str:
    assert row.seen
    return f"- **{row.name}** ({row.what}): {row.seen.live}. Said then: {row.seen.sentence}"


def _row(name: str, book: Book) -> Row:
    held = [named(part) for part in name.split("+")]
    what, wanted = " and ".join(one.what for one in held), " then ".join(map(_wanted, held))
    seen = book.seen(name)
    if seen is None or seen.problem or not bundle_path(name).exists():
        return Row(name, what, wanted, seen)
    mark, verdict = marked(name, bundle(name))
    shown = verdict.sentence if verdict.fault or not verdict.latent else verdict.latent[0].sentence
    if "+" in name:
        shown = "; ".join(one.sentence for one in verdict.findings)
    found = verdict.fault or next(iter(verdict.latent), None)
    return Row(name, what, wanted, seen, mark, shown, found.hop if found else "")


def _wanted(fault: Fault) -> str:
    if fault.says is None:
        return "no fault" + (f", {', '.join(fault.unasked)} unasked" if fault.unasked else "")
    return f"{fault.says.hop}: {' or '.join(fault.says.cause)}" + (" (besides)" if fault.says.latent else "")


def _totals(singles: Sequence[Row], both: Sequence[Row], rows: Sequence[Row]) -> Iterator[str]:
    for what, made, of in (
        ("faults", singles, [row for row in rows if "+" not in row.name]),
        ("pairs of faults", both, [row for row in rows if "+" in row.name]),
    ):
        counts = Counter(row.mark for row in made)
        share = f", {100 * counts['right'] / len(made):.1f} %" if made else ""
        told = ", ".join(f"{counts[mark]} {mark}" for mark in ("wrong", "missed", "false alarm"))
        live = sum(row.seen is not None and row.seen.live == "right" for row in made)
        then = f" As they were made, before the judgement was mended: {live} right." if made else ""
        yield f"- {len(made)} of {len(of)} {what} were made: {counts['right']} right{share}, {told}.{then}"
    seconds = sorted(row.seen.seconds for row in singles if row.seen and not named(row.name).unasked)
    dead = sorted(row.seen.seconds for row in singles if row.seen and named(row.name).unasked)
    if seconds:
        fast = sum(one <= 3 for one in seconds)
        yield (
            "- Seconds of the command, without the start of Python (0.5 s), where all hosts answer: "
            f"median {median(seconds):.1f}, most {seconds[-1]:.1f}; {fast} of {len(seconds)} within 3 s."
        )
    if dead:
        yield f"- Where a host is dead or its sshd frozen: {', '.join(f'{one:.1f}' for one in dead)} s."
    stale = [row.name for row in rows if row.seen and row.mark and row.seen.asked != question()]
    if stale:
        yield f"- Asked by an earlier script than this commit's: {len(stale)} of them."
    loads = sorted(row.seen.load for row in rows if row.seen and row.seen.load)
    told = f" Load average of {len(loads)} of them: median {median(loads):.0f}, most {loads[-1]:.0f}." if loads else ""
    days = sorted({row.seen.at for row in rows if row.seen and row.seen.at})
    yield f"- Machine: {os.cpu_count()} cores, shared with other work. Made: {', '.join(days) or 'never'}.{told}"


def _healthy(book: Book) -> Iterator[str]:
    for when, count in HEALTHY.items():
        held = [one for one in book.quiet() if one.when == when]
        alarms = [one for one in held if one.said]
        words = {"quiet": "a quiet site", "load": "100 requests a second", "roll": "a rolling update that is going on"}
        took = f", median {median(one.seconds for one in held):.1f} s" if held else ""
        yield f"- Healthy, {words[when]}: {len(alarms)} false alarms in {len(held)} of {count} traces{took}."
        yield from (f"  - {one.said[:LONGEST]}" for one in alarms)


def _matrix(rows: Sequence[Row]) -> Iterator[str]:
    """Rows: where the fault was. Columns: where it was said to be."""
    named_hops = (*HOPS, "")
    yield "| fault at | " + " | ".join(hop or "none" for hop in named_hops) + " |"
    yield "|---" * (len(named_hops) + 1) + "|"
    for hop in (*HOPS, ""):
        counts = Counter(row.hop for row in rows if _hop(row) == hop)
        yield f"| {hop or 'no fault'} | " + " | ".join(str(counts[one] or "") for one in named_hops) + " |"


def _hop(row: Row) -> str:
    says = named(row.name).says
    return says.hop if says else ""


def _line(row: Row) -> str:
    said = row.said[:LONGEST] + ("…" if len(row.said) > LONGEST else "")
    if not row.mark:
        said = "not made" + (f": {row.seen.problem.splitlines()[0][:80]}" if row.seen and row.seen.problem else "")
    seconds = f"{row.seen.seconds:.1f}" if row.seen and row.mark else ""
    cells = (row.name, row.what, row.wanted, said, row.mark, seconds)
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
