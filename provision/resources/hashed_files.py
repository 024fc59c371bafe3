"""Secrets that a set of files refers to: each named by its content, so that the set swaps and goes back as one."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

from provision.errors import InputError
from provision.facts.host import FileQuestion, FileState, ShellQuestion
from provision.facts.question import Answers, Question
from provision.remote.protocol import Step
from provision.remote.shell import Scripts, quote
from provision.resources.base import Action, Change, Rendering, Unknown
from provision.resources.commands import Command
from provision.resources.content import Content, Pending, Template
from provision.resources.optional.removable import Removable
from provision.resources.optional.reversible import Reversible, Rollback
from provision.resources.optional.sensitive import Sensitive, world_readable
from provision.resources.validation import check_mode, check_path
from provision.secret import Redactor

SCRIPTS = Scripts(__file__)
KEPT = 3  # the one in use and the two before it: what an older set refers to is still there when it comes back


@dataclass(frozen=True, kw_only=True)
class HashedFile(Reversible, Removable, Sensitive):
    """A file of the folder `path` with the hash of its content as its name. The last three are kept; the youngest is
    the one in use.

        key = HashedFile(path="/etc/ssl/edge/shop", suffix=".pem", content=…)
        … Template("edge/site.conf.j2", certificate=key.target)

    Its content never shows, and its mode must keep others out. The folder is made where it is missing, and holds
    nothing else.
    """

    path: str
    suffix: str = ""
    content: Content = field(default="", repr=False)
    mode: str = "0600"
    owner: str = "root"
    group: str = "root"
    secret_fields: ClassVar[frozenset[str]] = frozenset({"content"})

    def __post_init__(self) -> None:
        check_path("HashedFile", self.path)
        check_mode("HashedFile", self.path, self.mode)
        if world_readable(self.mode):
            raise InputError(
                f"{self.key} holds a secret, but its mode {self.mode} lets every user read it",
                do='Write mode="0600", or "0640" with the group that has to read it',
            )

    @property
    def key(self) -> str:
        return f"HashedFile {self.path}"

    @property
    def target(self) -> str:
        """The whole path; before the content is there, one that says so."""
        if isinstance(self.content, Pending):
            return f"{self.path}/new{self.suffix}"
        return f"{self.path}/{self.sha256[:16]}{self.suffix}"

    @property
    def paths(self) -> tuple[str, ...]:
        return (self.path,)

    @property
    def payload(self) -> bytes:
        """The content as it is sent."""
        if isinstance(self.content, str):
            return self.content.encode()
        if not isinstance(self.content, bytes):
            raise InputError(f"{self.key} was not rendered before it was used")
        return self.content

    @property
    def sha256(self) -> str:
        """SHA-256 of the content."""
        return hashlib.sha256(self.payload).hexdigest()

    @property
    def digest(self) -> str:
        return f"{self.target} {self.mode} {self.owner} {self.group}"

    def rendered(self, rendering: Rendering) -> HashedFile:
        content = rendering.template(self.content) if isinstance(self.content, Template) else self.content
        return replace(self, content=content.encode() if isinstance(content, str) else content)

    def protected(self, redactor: Redactor) -> Self:
        return self  # as a whole it is never shown

    @property
    def contents(self) -> tuple[bytes, ...]:
        return (self.content,) if isinstance(self.content, bytes) else ()

    @property
    def _youngest(self) -> ShellQuestion:
        """Asks which of them was put into use last."""
        return ShellQuestion(SCRIPTS.call("hashed_youngest", self.path))

    def questions(self) -> tuple[Question, ...]:
        return (FileQuestion(self.target), self._youngest)

    def compare(self, answers: Answers, changed_dependencies: Sequence[str]) -> Change | Unknown | None:
        if isinstance(self.content, Pending):
            return Unknown(self.content.until)
        state: FileState = answers[FileQuestion(self.target)]
        if not state.exists:
            return Change(Action.CREATE, f"create {self.target}")
        if (state.kind, state.sha256) != ("f", self.sha256):
            return Change(Action.UPDATE, f"{self.target}: content")
        wanted = (self.mode, self.owner, self.group)
        if (state.mode.zfill(4), state.owner, state.group) != wanted:
            return Change(Action.UPDATE, f"{self.target}: mode or owner", parts=frozenset({"attributes"}))
        if answers[self._youngest].output.strip() != self.target:
            return Change(Action.UPDATE, f"{self.target}: in use again", parts=frozenset({"attributes"}))
        return None

    def fix(self, change: Change) -> Step:
        attributes = (self.mode, self.owner, self.group)
        script = SCRIPTS.call("hashed_file", self.target, *attributes, KEPT=str(KEPT))
        return Step(SCRIPTS.text("atomic") + script, self.payload)

    @property
    def rollback_summary(self) -> str:
        return "nothing to undo: the ones before it are still there"

    def rollback(self, action: Action, snapshot: bytes) -> Rollback:
        return Rollback()

    @property
    def removal(self) -> Command | None:
        folder = quote(self.path)
        return Command(name=f"remove {self.path}", run=f"rm -rf -- {folder}", unless=f"! test -e {folder}")
