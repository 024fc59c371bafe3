"""Faults injected into a site that serves: what clients see, what is left, what the run prints, what mends it."""

from __future__ import annotations

import re
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from provision.traffic.receipt import Receipt
from tests.lab.clients import await_answered
from tests.lab.faults.catalog import FAULTS, OUT_21
from tests.lab.faults.core import rows
from tests.lab.faults.fault import LIGHT, ROLLED, Fault
from tests.lab.faults.record import Book, Row
from tests.lab.faults.testbed import SETTLED, Bench, paragraph, summary
from tests.lab.running import Ended, Step, drained

OPERATORS = "two operators"


def inject(fault: Fault, bench: Bench, words: tuple[str, ...], plan: Path) -> tuple[Ended, list[Step]]:
    """The command beside its fault: how it ended, and its steps."""
    if fault.saved:
        assert bench.invoke("plan", "--save", str(plan), *words).code == 2
        words = ("--plan", str(plan), *words)
    with ExitStack() as stack:
        if not fault.at:
            stack.enter_context(fault.inject(bench))
        running = bench.start("deploy", *words)
        if fault.at:
            running.until(fault.at)
            stack.enter_context(fault.inject(bench))
        return running.end(), running.steps


def cells(what: str, asked: str, clients: str, ended: Ended, seconds: float) -> dict[str, str]:
    """What a row says of the run itself."""
    error = f"exit {ended.code} after {seconds:.0f} s{f': {paragraph(ended)}' if ended.code else ''}"
    return {"what": what, "asked": asked, "clients": clients, "error": error}


def lost(receipt: Receipt, why: str) -> str:
    """What clients saw, and why they may have lost something."""
    return f"{receipt}; {why}" if why and receipt.failures else str(receipt)


@pytest.mark.parametrize("fault", rows(FAULTS))
def test_fault(fault: Fault, quick_site: Bench, book: Book, tmp_path: Path) -> None:
    words = fault.asked.words(quick_site)
    with quick_site.clients() as prober:
        began = time.monotonic()
        ended, steps = inject(fault, quick_site, (*words, *fault.asked.beside(quick_site)), tmp_path / "plan")
        took = time.monotonic() - began
        receipt = prober.receipt()
    state = quick_site.state(*words)
    await_answered(quick_site.name, seconds=SETTLED)  # a run that rolls stops where requests fail, whoever is to blame
    again = quick_site.invoke("deploy", "--json", "--wait", "60", *words)
    row = cells(fault.injected, fault.asked.says, lost(receipt, fault.lost), ended, took)
    book.write(Row(fault.table, fault.name, {**row, "after": str(state), "next": summary(again)}))
    assert ended.code == fault.exit, str(ended)
    assert re.search(fault.error, paragraph(ended)), str(ended)
    assert "Traceback" not in ended.output + ended.errors
    assert took < fault.within, row
    assert fault.lost or receipt.failures == 0, receipt
    assert set(state.differs) <= set(fault.left), str(state)
    assert fault.left or state.whole, str(state)
    assert fault.table != "stops" or not any(re.match(drained("hdss7-22"), step.text) for step in steps), str(ended)
    assert again.code == 0, str(again)


@pytest.mark.core
def test_two_operators(quick_site: Bench, book: Book) -> None:
    words = ROLLED.words(quick_site)
    with quick_site.clients() as prober:
        first = quick_site.start("deploy", *words)
        first.until(OUT_21)
        began = time.monotonic()
        second = quick_site.invoke("deploy", *LIGHT.words(quick_site))
        took = time.monotonic() - began
        ended = first.end()
        receipt = prober.receipt()
    state = quick_site.state(*words)
    again = quick_site.invoke("deploy", "--json", *quick_site.words)
    row = cells("a second one deploys while the first one's roll goes on", LIGHT.says, str(receipt), second, took)
    book.write(Row("faults", OPERATORS, {**row, "after": str(state), "next": summary(again)}))
    assert ended.code == 0, str(ended)
    assert second.code == 1, str(second)
    assert receipt.failures == 0, receipt
    assert state.whole
    assert again.code == 0, str(again)
