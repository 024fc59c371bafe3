"""A hop that a project's own role teaches: what is asked of its hosts, and what is found in the answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from urltrace.evidence import Answer
from urltrace.finding import Finding
from urltrace.view import View

SECONDS = 3  # that a command of a hop may take


@dataclass(frozen=True)
class OwnHop:
    """What a file of the folder `hops` calls HOP.

    role: on its hosts the commands run, in the exec in which a trace asks them anyway. ask: names, and commands of sh
    that change nothing. find: yields findings; its answers are what `answers` gives for a name. A finding's hop says
    where on the path it stands: 'edge' for what takes requests from clients.
    """

    role: str
    ask: Mapping[str, str]
    find: Callable[[View], Iterable[Finding]] = field(compare=False)

    @property
    def commands(self) -> tuple[tuple[str, str], ...]:
        """Each question by its whole name, and its command."""
        return tuple((question(self.role, name), command) for name, command in self.ask.items())


def question(role: str, name: str) -> str:
    """What the answers of a command are kept under."""
    return f"own {role} {name}"


def answers(view: View, role: str, name: str) -> Iterator[Answer]:
    """What a command of a hop came to, on each host that was asked."""
    wanted = question(role, name)
    yield from (answer for answer in view.evidence.about(wanted) if answer.question == wanted)
