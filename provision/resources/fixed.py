"""Settings that are fixed when a cluster is made: looked at in every plan, never changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from provision.errors import Exit, FailedError
from provision.facts.host import FileQuestion
from provision.facts.lookup import Found, LookupQuestion
from provision.facts.question import Answers, Question
from provision.remote.protocol import Step
from provision.resources.base import Change, Resource, Unknown


class FixedSettingError(FailedError):
    """The host runs with another value of a setting that is fixed: the inventory can't be meant, so exit 4."""

    exit = Exit.BAD_INPUT


@dataclass(frozen=True)
class Fixed:
    """A setting as it is declared: its dotted name and value, and where it is written ('' for a default).

    do: the way to another value by hand.
    """

    setting: str
    value: str
    line: str
    do: str

    def refuse_other(self, live: str, where: str) -> None:
        """Raises FixedSettingError for a live value that is another one. where: what holds it on the host."""
        if live in ("", self.value):
            return
        written = "the inventory says" if self.line else "nothing is written, and the default is"
        raise FixedSettingError(
            f"{self.setting} is fixed in this cluster, and another value was declared: nothing was changed",
            line=self.line,
            found=f"{where} has {live}, {written} {self.value}",
            do=f"Write {self.setting}: {live}. {self.do}. If no cluster has come up here yet, remove {where}",
        )


@dataclass(frozen=True, kw_only=True)
class Guard(Resource):
    """A resource that refuses what was declared, or says nothing: never a change, and looked at whatever --tags say."""

    def fix(self, change: Change) -> Step:
        return Step("true")  # `compare` never finds a change


@dataclass(frozen=True, kw_only=True)
class FixedSetting(Guard):
    """A setting that can't change any more once a file of the host holds a value of it. Never a change.

        data = Fixed("etcd.data", settings.data, host.origin("etcd", "data"), "Move the folder by hand")
        FixedSetting(fixed=data, of="etcd", look=LookupQuestion(SCRIPT, (After("^ *--data-dir="),)))

    of: the program that runs with it. look: where the live value is. means: what a value that is found stands for, if
    not for itself. unless: nothing is refused where one of these paths exists.
    """

    fixed: Fixed
    of: str
    look: LookupQuestion
    means: str = ""
    unless: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return f"FixedSetting {self.fixed.setting} of {self.of}"

    @property
    def _paths(self) -> tuple[FileQuestion, ...]:
        return tuple(FileQuestion(path, content=False) for path in self.unless)

    def questions(self) -> tuple[Question, ...]:
        return (self.look, *self._paths)

    def compare(self, answers: Answers, changed_dependencies: Sequence[str]) -> Change | Unknown | None:
        found: Found = answers[self.look]
        if found.value and not any(answers[path].exists for path in self._paths):
            self.fixed.refuse_other(self.means or found.value, found.file)
        return None
