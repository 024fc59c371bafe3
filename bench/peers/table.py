"""What was measured, as the tables of docs/performance.md, which stand there between two marks."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.clock import Sample
from bench.peers.workload import Action

BEGIN, END = "<!-- make bench-peers writes from here -->", "<!-- to here -->"


@dataclass(frozen=True)
class Row:
    """A contestant's figures. samples: of each action, one a round. sessions: logins and commands of a no-op.

    ours: it is this toolkit.
    """

    title: str
    samples: Mapping[Action, Sequence[Sample]]
    sessions: tuple[int, int]
    ours: bool = False

    def seconds(self, action: Action) -> float:
        """The median."""
        return statistics.median(sample.wall for sample in self.samples[action])

    @property
    def cpu(self) -> float:
        """The median of the controller's CPU seconds of a no-op."""
        return statistics.median(sample.cpu for sample in self.samples[Action.NO_OP])


@dataclass(frozen=True)
class FloorRow:
    """A floor's figures, one sample a round."""

    title: str
    samples: Sequence[Sample]

    @property
    def seconds(self) -> float:
        """The median."""
        return statistics.median(sample.wall for sample in self.samples)


@dataclass(frozen=True)
class InfraRow(FloorRow):
    """The figures of one way to run the testinfra tests, one sample a round. ours: it is this toolkit."""

    ours: bool = False

    @property
    def cpu(self) -> float:
        """The median of the controller's CPU seconds."""
        return statistics.median(sample.cpu for sample in self.samples)


@dataclass(frozen=True)
class Circumstances:
    """What the figures depend on. machine, date, versions: in words. absent: who could not take part, and why."""

    machine: str
    date: str
    rounds: int
    versions: Sequence[str]
    absent: Sequence[str] = ()


def report(rows: Sequence[Row], floors: Sequence[FloorRow], tests: Sequence[InfraRow], about: Circumstances) -> str:
    """Everything that the run has to say, as Markdown."""
    parts = [
        f"{about.date}, {about.machine}. 3 hosts of the lab share the machine with the controller. Seconds of whole "
        f"processes, medians of {about.rounds} round{'s' * (about.rounds != 1)} in turn. {', '.join(about.versions)}.",
        _table(
            ("", *(action.value for action in Action), "controller CPU s of a no-op", "connections / execs of a no-op"),
            [_cells(row) for row in rows],
        ),
        _table(("floor: `true` on 3 hosts", "s"), [(floor.title, f"{floor.seconds:.2f}") for floor in floors]),
        _table(
            ("90 testinfra tests, 30 of each host", "s", "controller CPU s"),
            [(f"**{row.title}**" if row.ours else row.title, f"{row.seconds:.2f}", f"{row.cpu:.2f}") for row in tests],
        ),
        "\n".join(f"- {line}" for line in (*ratios(rows, floors), *_ratios_of_tests(tests))),
        *about.absent,
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def ratios(rows: Sequence[Row], floors: Sequence[FloorRow]) -> Sequence[str]:
    """This toolkit beside the fastest of the others, action by action, and its no-op beside the first floor."""
    ours, others = [row for row in rows if row.ours], [row for row in rows if not row.ours]
    said = []
    for row in ours:
        if floors:
            ratio = row.seconds(Action.NO_OP) / floors[0].seconds
            said.append(f"{row.title}: a no-op takes {ratio:.2f} times the floor ({floors[0].title})")
        for action in Action if others else ():
            best = min(others, key=lambda other: other.seconds(action))
            ratio = best.seconds(action) / row.seconds(action)
            said.append(f"{row.title}, {action.value}: {_times(ratio)} {best.title}, the fastest of the others there")
    return said


def _ratios_of_tests(tests: Sequence[InfraRow]) -> Iterator[str]:
    for row in (row for row in tests if row.ours):
        best = min((other for other in tests if not other.ours), key=lambda other: other.seconds)
        yield f"{row.title}, testinfra tests: {_times(best.seconds / row.seconds)} {best.title}"


def write(document: Path, text: str) -> None:
    """Puts the text between the marks of a document. Raises ValueError when it has not both, in that order."""
    before, begin, rest = document.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{document} has no line {BEGIN!r} with {END!r} after it")
    document.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}")


def _times(ratio: float) -> str:
    return f"{ratio:.2f} times as fast as" if ratio >= 1 else f"takes {1 / ratio:.2f} times as long as"


def _cells(row: Row) -> Sequence[str]:
    logins, commands = row.sessions
    mark = "**" if row.ours else ""
    seconds = (f"{row.seconds(action):.2f}" for action in Action)
    return (f"{mark}{row.title}{mark}", *seconds, f"{row.cpu:.2f}", f"{logins} / {commands}")


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows] if rows else []
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
