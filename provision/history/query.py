"""The runs recorded on hosts, asked of many hosts at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from provision.errors import ProvisionError
from provision.facts.gather import answer
from provision.history.journal import Entry, JournalQuestion, Written
from provision.remote.host import RemoteHost
from provision.remote.login import Login
from provision.remote.pool import HostPool


@dataclass(frozen=True)
class HostHistory:
    """One host's runs, the oldest first; or why it could not be asked."""

    host: str
    runs: tuple[Written, ...] = ()
    error: ProvisionError | None = None


def ask_histories(logins: Sequence[Login], forks: int, question: JournalQuestion | None = None) -> list[HostHistory]:
    """One connection and one exec a host. question: which runs; all of them if None, without earlier contents."""
    asked = question or JournalQuestion()

    def ask(host: RemoteHost) -> tuple[Written, ...]:
        try:
            runs: tuple[Written, ...] = answer(host.session(), [asked])[asked]
            return runs
        finally:
            host.close()

    results = HostPool(forks).for_each([RemoteHost(login) for login in logins], ask)
    return [HostHistory(result.host.name, result.value or (), result.error) for result in results]


@dataclass(frozen=True)
class RecordedChange:
    """One change of one resource, by one run, on one host."""

    host: str
    written: Written
    entry: Entry


def recorded_changes(histories: Iterable[HostHistory]) -> Iterator[RecordedChange]:
    """Every recorded change, the youngest first."""
    found = [
        RecordedChange(history.host, written, entry)
        for history in histories
        for written in history.runs
        for entry in written.entries
    ]
    return iter(sorted(found, key=lambda change: (change.written.run, change.entry.number), reverse=True))


def result(runs: Iterable[Written]) -> str:
    """How a run ended on its hosts: 'done', or what did not end well."""
    runs = tuple(runs)
    entries = [entry for written in runs for entry in written.entries]
    failed = sum(1 for entry in entries if entry.code)
    cut = sum(1 for entry in entries if entry.code is None)
    parts = [f"{failed} failed" if failed else "", f"{cut} cut" if cut else ""]
    return ", ".join(filter(None, parts)) or ("done" if all(written.ended for written in runs) else "stopped")


def when(written: Written) -> str:
    """The run's beginning in the reader's own time zone."""
    return f"{datetime.fromisoformat(written.began).astimezone():%Y-%m-%d %H:%M:%S}"
