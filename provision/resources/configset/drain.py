"""The drain interface: what a rolling update needs of a host that sends traffic on.

It serves two kinds: a node that an edge leaves out, and an edge that is left out of an address.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from provision.facts.question import Answers, Question
from provision.remote.protocol import Step
from provision.remote.shell import quote
from provision.resources.base import Resource
from provision.resources.optional.dependent import clear_stamp, stamp_question, write_stamp

NEW = "new"  # instead of a run: the target was never sent to; it stays left out until a roll of its own has passed
NOT_IN_USE = frozenset({"not in use"})  # the parts of a Change of a drainer through which nothing goes yet
_STAMP = "drained"  # the record on the host; its name and form are read by every later version


@dataclass(frozen=True, kw_only=True)
class Drainer(Resource):
    """A resource through which its host sends traffic to targets, and which can leave some of them out.

    A target is named as the inventory names its host. All sh runs on the host of the resource.
    """

    @property
    @abstractmethod
    def drainable(self) -> frozenset[str]:
        """The targets that it can leave out; empty for one that drains nothing."""

    @property
    @abstractmethod
    def error_log(self) -> str:
        """The file, or the command, that shows a person on the host why requests failed."""

    @abstractmethod
    def drained_now(self, answers: Answers) -> Mapping[str, str]:
        """The targets that are left out now -> the run that drained each, or NEW. answers: to `questions`."""

    @abstractmethod
    def set_drained(self, drained: Mapping[str, str]) -> Step:
        """The step that leaves exactly these targets out (target -> run) and fails unless the program does so.

        Nothing else changes, and the step records it on the host, where `drained_now` finds it.
        """

    @property
    def entrance(self) -> str:
        """The address at which clients ask for what goes through it; '': the host's own."""
        return ""

    def settled(self, answers: Answers) -> bool:
        """Whether draining would change nothing else. answers: to `questions`."""
        return self.compare(answers, ()) is None

    def in_use(self, answers: Answers) -> bool:
        """Whether traffic goes through it now: what serves nobody yet need leave nothing out."""
        return True

    def busiest(self, answers: Answers) -> frozenset[str]:
        """The targets that take all of its traffic now: they change last, so that it moves once. answers: as above."""
        return frozenset()

    def takes_over(self) -> str:
        """sh that succeeds if this host can take the traffic of a target that is drained. '': not needed, because the
        other targets take it.
        """
        return ""

    def count_connections(self, address: str, port: int) -> str:
        """sh that prints how many connections to a target still run."""
        return f"ss -Htn state established dst {quote(f'{address}:{port}')} | wc -l"


def drained_question() -> Question:
    """Asks what a host has recorded as drained."""
    return stamp_question(_STAMP)


def read_drained(answers: Answers) -> dict[str, str]:
    """target -> the run that drained it, as the host has recorded it."""
    record: str = answers.get(drained_question(), "")
    pairs = (part.partition("=") for part in record.split())
    return {target: run for target, _, run in pairs}


def record_drained(drained: Iterable[tuple[str, str]]) -> str:
    """sh that records on the host what is drained: what `read_drained` reads."""
    record = " ".join(f"{target}={run}" for target, run in sorted(drained))
    return write_stamp(_STAMP, record) if record else clear_stamp(_STAMP)
