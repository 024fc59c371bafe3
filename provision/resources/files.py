"""Files, directories and symbolic links."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar, Self

from provision.errors import FailedError, InputError
from provision.facts.host import ContentQuestion, FileQuestion, FileState
from provision.facts.question import Answers, Question
from provision.remote.protocol import Step
from provision.remote.shell import Scripts, quote
from provision.resources.base import Action, Change, Rendering, Resource, Unknown
from provision.resources.content import Content, Pending, Template
from provision.resources.optional.explainable import Explainable, unified
from provision.resources.optional.removable import Removable
from provision.resources.optional.reversible import SNAPSHOT_LIMIT, PriorEntry, Reversible, Rollback
from provision.resources.optional.sensitive import Sensitive, world_readable
from provision.resources.symlinks import KINDS, Symlink
from provision.resources.validation import check_mode, check_path
from provision.secret import Redactor, Secret

DIFF_LIMIT = 65_536
TEXT_LIMIT = 65_536  # bytes of a content that travels within its step's script


SCRIPTS = Scripts(__file__)


def write_file(path: str, mode: str, owner: str, group: str) -> str:
    """sh that writes standard input to `path`: to a private neighbour first, synced, then renamed over it."""
    return SCRIPTS.text("atomic") + SCRIPTS.call("file", path, mode, owner, group)


@dataclass(frozen=True, kw_only=True)
class _Owned(Reversible):
    """What files and directories share."""

    path: str
    mode: str
    owner: str = "root"
    group: str = "root"
    absent: bool = False
    kind: ClassVar[str]
    expected: ClassVar[str]

    def __post_init__(self) -> None:
        check_path(self.kind, self.path)
        check_mode(self.kind, self.path, self.mode)

    @property
    def key(self) -> str:
        return f"{self.kind} {self.path}"

    @property
    def paths(self) -> tuple[str, ...]:
        return (self.path,)

    @property
    def snapshot_of(self) -> str:
        return self.path

    def _attributes(self, state: FileState) -> list[tuple[str, str, str]]:
        """(what, actual, desired) of mode, owner and group where they differ."""
        pairs = [
            ("mode", state.mode.zfill(4), self.mode),
            ("owner", state.owner, self.owner),
            ("group", state.group, self.group),
        ]
        return [pair for pair in pairs if pair[1] != pair[2]]

    def _reattribute(self) -> str:
        return SCRIPTS.call("attributes", self.path, self.mode, self.owner, self.group)

    def _refuse(self, state: FileState) -> None:
        """Something of another kind at this path is never removed."""
        if state.exists and state.kind not in self.expected:
            raise FailedError(
                f"{self.key}: there is a {KINDS.get(state.kind, 'thing')} at this path",
                found="Nothing was changed",
                do=f"Move it away (mv {self.path} {self.path}.old) or declare another path",
            )


@dataclass(frozen=True, kw_only=True)
class File(_Owned, Removable, Explainable, Sensitive):
    """A file with this content, mode and owner.

        File(path="/etc/hosts", content=Template("base/hosts.j2"))

    content: text, bytes, a Template, or a Path on the controller (streamed, never rendered).
    secret: its content never shows in a diff, and its mode must keep others out. A file whose content includes a secret
    is marked by itself.
    """

    content: Content = field(default="", repr=False)
    mode: str = "0644"
    secret: bool = False
    kind: ClassVar[str] = "File"
    expected: ClassVar[str] = "fl"
    secret_fields: ClassVar[frozenset[str]] = frozenset({"content"})

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.secret and not self.absent and world_readable(self.mode):
            raise InputError(
                f"{self.key} holds a secret, but its mode {self.mode} lets every user read it",
                do='Write mode="0600", or "0640" with the group that has to read it',
            )

    def rendered(self, rendering: Rendering) -> File:
        text = rendering.template(self.content) if isinstance(self.content, Template) else self.content
        if isinstance(text, str):
            return replace(self, content=text.encode(), secret=self.secret or isinstance(text, Secret))
        return self

    def protected(self, redactor: Redactor) -> Self:
        if isinstance(self.content, bytes) and not self.secret and redactor.finds(self.content):
            return replace(self, secret=True)
        return self

    @property
    def payload(self) -> bytes | Path:
        """The content as it is sent."""
        if isinstance(self.content, Template | str | Pending):
            raise InputError(f"{self.key} was not rendered before it was used")
        return self.content

    @property
    def sha256(self) -> str:
        """SHA-256 of the desired content."""
        if isinstance(self.content, Pending):
            return "pending"
        if isinstance(self.payload, Path):
            with self.payload.open("rb") as source:
                return hashlib.file_digest(source, "sha256").hexdigest()
        return hashlib.sha256(self.payload).hexdigest()

    @property
    def digest(self) -> str:
        return f"{self.path} {self.sha256} {self.mode} {self.owner} {self.group}"

    def questions(self) -> tuple[Question, ...]:
        return (FileQuestion(self.path),)

    def compare(self, answers: Answers, changed_dependencies: Sequence[str]) -> Change | Unknown | None:
        state: FileState = answers[FileQuestion(self.path)]
        if self.absent:
            return Change(Action.REMOVE, f"remove {self.path}") if state.exists else None
        self._refuse(state)
        if isinstance(self.content, Pending):
            return Unknown(self.content.until)
        if not state.exists:
            return Change(Action.CREATE, f"create {self.path}", parts=frozenset({"content"}))
        differs = [f"{what} {was} -> {wanted}" for what, was, wanted in self._attributes(state)]
        if state.kind == "l":
            differs.insert(0, f"replace the link to {state.target} by a file")
        if state.sha256 != self.sha256:
            differs.insert(0, "content")
        if not differs:
            return None
        parts = frozenset({"content"} if state.sha256 != self.sha256 or state.kind == "l" else {"attributes"})
        return Change(Action.UPDATE, f"{self.path}: {', '.join(differs)}", parts=parts)

    def evidence(self, change: Change) -> tuple[Question, ...]:
        if self.secret or "content" not in change.parts or isinstance(self.content, Path):
            return ()
        return (ContentQuestion(self.path, DIFF_LIMIT),)

    def explain(self, change: Change, answers: Answers) -> Change:
        if "content" not in change.parts:
            return change
        if isinstance(self.payload, Path):
            return replace(change, diff=f"({self.payload.stat().st_size} bytes from {self.payload.name})")
        if self.secret:
            return replace(change, diff="(secret: content not shown)")
        state: FileState = answers[FileQuestion(self.path)]
        if state.exists and (state.kind == "l" or not world_readable(state.mode)):
            # it may have held a secret before: only what every user may read is shown
            return replace(change, diff="(not world-readable on the host: content not shown)")
        before = answers.get(ContentQuestion(self.path, DIFF_LIMIT), "")
        return replace(change, diff=unified(before, self.payload.decode("utf-8", "replace"), self.path))

    @property
    def contents(self) -> tuple[bytes, ...]:
        return (self.content,) if isinstance(self.content, bytes) else ()

    @property
    def rollback_summary(self) -> str:
        if self.secret:
            return "cannot be undone: secrets are not recorded"
        return f"its previous content, if world-readable, up to {SNAPSHOT_LIMIT >> 10} KiB"

    def snapshot_script(self, change: Change) -> str:
        return PriorEntry.script(self.path) if self.secret else SCRIPTS.call("snapshot_file", self.path)

    def rollback(self, action: Action, snapshot: bytes) -> Rollback:
        prior = PriorEntry.read(snapshot)
        if prior is None:
            return Rollback((replace(self, absent=True),))
        if prior.kind == "l":
            return Rollback((Symlink(path=self.path, target=prior.target),))
        if self.secret:
            return Rollback(why=f"{self.key}: secrets are not recorded")
        if len(prior.content) != prior.size and not world_readable(prior.mode):
            return Rollback(why=f"{self.key}: it was not world-readable, so its content was not recorded")
        if len(prior.content) != prior.size:
            return Rollback(why=f"{self.key}: it was bigger ({prior.size} bytes) than the limit of a snapshot")
        before = replace(self, content=prior.content, mode=prior.mode, owner=prior.owner, group=prior.group)
        return Rollback((replace(before, absent=False),))

    @property
    def removal(self) -> Resource | None:
        return None if self.absent else File(path=self.path, absent=True)

    def fix(self, change: Change) -> Step:
        if change.action is Action.REMOVE:
            return Step(f"rm -f -- {quote(self.path)}", brief=True)
        if "content" not in change.parts:
            return Step(self._reattribute(), brief=True)
        text = self._small_text()
        if text is not None:
            return Step(self._write_text(text), brief=True)
        return Step(write_file(self.path, self.mode, self.owner, self.group), self.payload, timeout=300)

    def _small_text(self) -> str | None:
        """Its content where that may travel within a script: it is short, no secret, and sh can hold it."""
        content = self.payload
        if self.secret or isinstance(content, Path) or len(content) > TEXT_LIMIT or b"\0" in content:
            return None
        return content.decode("utf-8", "surrogateescape")

    def _write_text(self, text: str) -> str:
        attributes = (self.mode, self.owner, self.group)
        return SCRIPTS.text("atomic") + SCRIPTS.call("file_of_text", self.path, *attributes, CONTENT=text)


@dataclass(frozen=True, kw_only=True)
class Directory(_Owned):
    """A directory; `absent` removes it only when it is empty.

    Directory(path="/data/logs/kubernetes/kube-proxy")
    """

    mode: str = "0755"
    kind: ClassVar[str] = "Directory"
    expected: ClassVar[str] = "d"

    def questions(self) -> tuple[Question, ...]:
        return (FileQuestion(self.path, content=False),)

    def compare(self, answers: Answers, changed_dependencies: Sequence[str]) -> Change | Unknown | None:
        state: FileState = answers[FileQuestion(self.path, content=False)]
        if self.absent:
            return Change(Action.REMOVE, f"remove {self.path}") if state.exists else None
        self._refuse(state)
        if not state.exists:
            return Change(Action.CREATE, f"create directory {self.path}")
        differs = [f"{what} {was} -> {wanted}" for what, was, wanted in self._attributes(state)]
        return Change(Action.UPDATE, f"{self.path}: {', '.join(differs)}") if differs else None

    @property
    def rollback_summary(self) -> str:
        return "its previous mode and owner; a new directory stays"

    def snapshot_script(self, change: Change) -> str:
        return PriorEntry.script(self.path)

    def rollback(self, action: Action, snapshot: bytes) -> Rollback:
        prior = PriorEntry.read(snapshot)
        if prior is None:
            return Rollback()
        return Rollback((replace(self, absent=False, mode=prior.mode, owner=prior.owner, group=prior.group),))

    def fix(self, change: Change) -> Step:
        path = quote(self.path)
        if change.action is Action.REMOVE:
            return Step(f"rmdir -- {path}", brief=True)
        return Step(f"mkdir -p -- {path}\n{self._reattribute()}", brief=True)
