"""The common work of bench/peers/workload.py: a folder of files made by templates, packages, a unit, two programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from provision.inventory.changes import Free
from provision.inventory.types import FilePath, Name, PackageName, Positive, Text
from provision.resources import (
    Action,
    Answers,
    Change,
    Directory,
    File,
    Package,
    Program,
    Resource,
    Service,
    ShellQuestion,
    Step,
    Template,
    quote,
)


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Variables of the peers role."""

    folder: Free[FilePath] = "/etc/peers/hdss7"  # where the files are
    files: Free[tuple[Positive, ...]] = ()  # their numbers
    packages: Free[tuple[PackageName, ...]] = ()  # what has to be installed
    unit: Free[Name] = "supervisor"  # what has to run
    programs: Free[tuple[Name, ...]] = ()  # what has to run under supervisord
    asked: Free[Literal["proc", "supervisorctl"]] = "proc"  # who says that they run
    greeting: Free[Text] = ""  # a variable of each template
    answer: Free[Text] = ""  # a variable of one


def peers(host: Any, site: Any, settings: Settings) -> Iterator[Resource]:
    """What the playbook, the deploy and the bundle of the others declare."""
    yield Package(names=settings.packages)
    yield Directory(path=settings.folder, mode="0755")
    for number in settings.files:
        template = Template(
            f"peers/{number}.conf.j2", number=number, greeting=settings.greeting, answer=settings.answer
        )
        yield File(path=f"{settings.folder}/{number}.conf", content=template, mode="0644")
    yield Service(name=settings.unit)
    if settings.asked == "supervisorctl":
        yield AskedPrograms(names=settings.programs)
    else:
        for name in settings.programs:
            yield Program(name=name, ready="true", log=f"/var/log/supervisor/{name}.log")


@dataclass(frozen=True, kw_only=True)
class AskedPrograms(Resource):
    """All of these programs run under supervisord, by what supervisorctl says: as the other tools ask."""

    names: tuple[str, ...]

    @property
    def key(self) -> str:
        return f"AskedPrograms {' '.join(self.names)}"

    @property
    def _running(self) -> ShellQuestion:
        return ShellQuestion(f"supervisorctl status {self._words} >/dev/null 2>&1")

    @property
    def _words(self) -> str:
        return " ".join(map(quote, self.names))

    def questions(self) -> tuple[ShellQuestion, ...]:
        return (self._running,)

    def compare(self, answers: Answers, changed_dependencies: Sequence[str]) -> Change | None:
        return None if answers[self._running].code == 0 else Change(Action.UPDATE, f"start {', '.join(self.names)}")

    def fix(self, change: Change) -> Step:
        return Step(f"supervisorctl start {self._words}")
