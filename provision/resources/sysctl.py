"""Kernel parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from provision.facts.host import FileQuestion, FileState, SysctlQuestion
from provision.facts.question import Answers, Question
from provision.remote.protocol import Step
from provision.remote.shell import quote
from provision.resources.base import Action, Change, Resource, Unknown
from provision.resources.files import File, write_file
from provision.resources.optional.removable import Removable
from provision.resources.optional.reversible import PriorEntry, Reversible, Rollback
from provision.resources.validation import check_name


@dataclass(frozen=True, kw_only=True)
class Sysctl(Reversible, Removable):
    """A kernel parameter: its live value, and a file in /etc/sysctl.d that brings it back after a reboot.

    Sysctl(name="net.ipv4.ip_forward", value="1")
    """

    name: str
    value: str
    persistent: bool = True

    def __post_init__(self) -> None:
        check_name("Sysctl", "name", self.name, r"[a-z0-9_][a-zA-Z0-9_.-]+")

    @property
    def key(self) -> str:
        return f"Sysctl {self.name}"

    @property
    def _file(self) -> File:
        content = f"# by provision\n{self.name} = {self.value}\n".encode()
        return File(path=f"/etc/sysctl.d/60-{self.name}.conf", content=content)

    @property
    def paths(self) -> tuple[str, ...]:
        return self._file.paths

    def questions(self) -> tuple[Question, ...]:
        return (SysctlQuestion(self.name), *self._file.questions())

    def compare(self, answers: Answers, changed_dependencies: Sequence[str]) -> Change | Unknown | None:
        live = answers[SysctlQuestion(self.name)]
        file: FileState = answers[FileQuestion(self._file.path)]
        differs = []
        if live != self.value:
            differs.append(f"{live or '(unset)'} -> {self.value}")
        if file.sha256 != self._file.sha256 if self.persistent else file.exists:
            differs.append("persistent" if self.persistent else "not persistent")
        return Change(Action.UPDATE, f"{self.name}: {', '.join(differs)}") if differs else None

    @property
    def rollback_summary(self) -> str:
        return "its previous value"

    def snapshot_script(self, change: Change) -> str:
        return f"cat {SysctlQuestion(self.name).path} 2>/dev/null || echo; {PriorEntry.script(self._file.path)}"

    def rollback(self, action: Action, snapshot: bytes) -> Rollback:
        live, _, file = snapshot.partition(b"\n")
        value = " ".join(live.decode("utf-8", "replace").split())
        return Rollback((replace(self, value=value, persistent=PriorEntry.read(file) is not None),) if value else ())

    @property
    def removal(self) -> Resource | None:
        return self._file.removal

    def fix(self, change: Change) -> Step:
        target = SysctlQuestion(self.name).path
        write = f"printf '%s\\n' {quote(self.value)} >{target}\n"
        file = self._file
        if not self.persistent:
            return Step(f"rm -f {file.path}\n{write}")
        return Step(write_file(file.path, file.mode, file.owner, file.group) + write, file.payload)
