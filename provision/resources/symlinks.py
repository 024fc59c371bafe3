"""Symbolic links."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from provision.errors import FailedError
from provision.facts.host import FileQuestion, FileState
from provision.facts.question import Answers, Question
from provision.remote.protocol import Step
from provision.remote.shell import Scripts, quote
from provision.resources.base import Action, Change, Resource, Unknown
from provision.resources.optional.removable import Removable
from provision.resources.optional.reversible import PriorEntry, Reversible, Rollback
from provision.resources.validation import check_path

SCRIPTS = Scripts(__file__)
KINDS = {
    "f": "file",
    "d": "directory",
    "l": "symbolic link",
    "p": "pipe",
    "s": "socket",
    "b": "device",
    "c": "device",
}


@dataclass(frozen=True, kw_only=True)
class Symlink(Reversible, Removable):
    """A symbolic link.

        Symlink(path="/opt/kubernetes", target="/opt/kubernetes-v1.34.4")

    if_missing: one that is there already is left as it is, wherever it leads. versions: how the folders begin that it
    leads to, one for each version; what was made in the one before stays declared, so that a rollback finds it.
    """

    path: str
    target: str
    absent: bool = False
    if_missing: bool = False
    versions: str = ""

    def __post_init__(self) -> None:
        check_path("Symlink", self.path)

    @property
    def key(self) -> str:
        return f"Symlink {self.path}{' (if missing)' if self.if_missing else ''}"

    @property
    def paths(self) -> tuple[str, ...]:
        return () if self.if_missing else (self.path,)  # it leaves to others where the link leads

    def questions(self) -> tuple[Question, ...]:
        return (FileQuestion(self.path, content=False),)

    def compare(self, answers: Answers, changed_dependencies: Sequence[str]) -> Change | Unknown | None:
        state: FileState = answers[FileQuestion(self.path, content=False)]
        if state.exists and state.kind != "l":
            raise FailedError(
                f"{self.key}: there is a {KINDS.get(state.kind, 'thing')} at this path",
                found="Nothing was changed",
                do=f"Move it away (mv {self.path} {self.path}.old)",
            )
        if self.absent:
            return Change(Action.REMOVE, f"remove link {self.path}") if state.exists else None
        if not state.exists:
            return Change(Action.CREATE, f"link {self.path} -> {self.target}")
        if state.target != self.target and not self.if_missing:
            return Change(Action.UPDATE, f"{self.path}: link {state.target} -> {self.target}")
        return None

    @property
    def rollback_summary(self) -> str:
        return "its previous target"

    @property
    def snapshot_of(self) -> str:
        return self.path

    def snapshot_script(self, change: Change) -> str:
        return PriorEntry.script(self.path)

    def rollback(self, action: Action, snapshot: bytes) -> Rollback:
        prior = PriorEntry.read(snapshot)
        return Rollback((replace(self, absent=prior is None, target=prior.target if prior else self.target),))

    @property
    def removal(self) -> Resource | None:
        return None if self.absent else replace(self, absent=True)

    def fix(self, change: Change) -> Step:
        path, target = quote(self.path), quote(self.target)
        if change.action is Action.REMOVE:
            return Step(f"rm -f -- {path}", brief=True)
        return Step(f"{SCRIPTS.text('atomic')}install_link {path} {target}\n", brief=True)
