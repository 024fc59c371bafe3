"""Debian packages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from provision.facts.host import PackageQuestion
from provision.facts.question import Answers, Question
from provision.remote.protocol import Step
from provision.remote.shell import Scripts
from provision.resources.base import Action, Change, Unknown
from provision.resources.optional.reversible import Reversible, Rollback
from provision.resources.validation import check_name

SCRIPTS = Scripts(__file__)


@dataclass(frozen=True, kw_only=True)
class Package(Reversible):
    """One or more packages, installed (any version) or `absent`; recommended ones are left out.

        Package(names=("nginx", "libnginx-mod-stream"))

    Their daemons are not started by the installation: a Service says that. Nothing that is there is removed for them:
    the change fails and names both. on_conflict: what to do then. lock_timeout: seconds to wait for another apt.
    """

    names: tuple[str, ...]
    absent: bool = False
    on_conflict: str = "Remove them yourself, or leave the role out"
    lock_timeout: int = 60
    kind: ClassVar[str] = "Package"

    def __post_init__(self) -> None:
        for name in self.names:
            check_name("Package", "name", name, r"[a-z0-9][a-z0-9+.-]+")

    @property
    def key(self) -> str:
        return f"Package {' '.join(self.names)}"

    def questions(self) -> tuple[Question, ...]:
        return tuple(PackageQuestion(name) for name in self.names)

    def compare(self, answers: Answers, changed_dependencies: Sequence[str]) -> Change | Unknown | None:
        wrong = [name for name in self.names if bool(answers[PackageQuestion(name)]) is self.absent]
        if not wrong:
            return None
        verb = "remove" if self.absent else "install"
        return Change(Action.REMOVE if self.absent else Action.CREATE, f"{verb} {', '.join(wrong)}")

    @property
    def rollback_summary(self) -> str:
        return "what was removed is installed again; what was installed stays"

    def rollback(self, action: Action, snapshot: bytes) -> Rollback:
        return Rollback((replace(self, absent=False),) if action is Action.REMOVE else ())

    def fix(self, change: Change) -> Step:
        verb = "remove" if self.absent else "install"
        variables = {"LOCK_TIMEOUT": str(self.lock_timeout), "CONFLICT": self.on_conflict}
        return Step(SCRIPTS.call("packages", verb, *self.names, **variables), timeout=900)
