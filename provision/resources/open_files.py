"""The files that a program may open at one time: looked at in every plan, never changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from provision.errors import Exit, FailedError
from provision.facts.host import ShellAnswer, ShellQuestion
from provision.facts.question import Answers, Question
from provision.remote.shell import Scripts
from provision.resources.base import Change, Unknown
from provision.resources.fixed import Guard

_SCRIPTS = Scripts(__file__)


class OpenFilesError(FailedError):
    """The host allows fewer open files than were declared: exit 4, because another number has to be written."""

    exit = Exit.BAD_INPUT


@dataclass(frozen=True, kw_only=True)
class OpenFiles(Guard):
    """A program may open this many files: the hard limit of its process allows it, or systemd's where none runs.

    pidfile: of the program. setting, line: from what, and where written, the number comes. do: what to write instead,
    with {limit} for the host's.
    """

    program: str
    needed: int
    pidfile: str
    setting: str
    line: str
    do: str

    @property
    def key(self) -> str:
        return f"OpenFiles {self.program}"

    @property
    def _limit(self) -> ShellQuestion:
        return ShellQuestion(_SCRIPTS.call("open_files", PIDFILE=self.pidfile))

    def questions(self) -> tuple[Question, ...]:
        return (self._limit,)

    def compare(self, answers: Answers, changed_dependencies: Sequence[str]) -> Change | Unknown | None:
        found: ShellAnswer = answers[self._limit]
        limit = found.output.strip()
        if limit.isdigit() and int(limit) < self.needed:  # 'unlimited' allows all
            raise OpenFilesError(
                f"{self.setting} needs {self.needed} open files, more than the host allows {self.program}: nothing "
                "was changed",
                line=self.line,
                found=f"The hard limit of open files (nofile) is {limit}",
                do=self.do,
            )
        return None
