"""Kernel parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from provision.facts.host import FileQuestion, FileState, SysctlQuestion
from provision.facts.question import Answers, Question
from provision.remote.protocol import Step
from provision.resources.base import STANDS, Action, Change, PriorEntry, Resource, Rollback, Unknown, check_name
from provision.resources.files import File, place


@dataclass(frozen=True, kw_only=True)
class Sysctl(Resource):
    """A kernel parameter: its live value, and a file in /etc/sysctl.d that brings it back after a reboot.

    Sysctl(name="net.ipv4.ip_forward", value="1")
    """

    name: str
    value: str
    kept: bool = True  # for the next boot

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
        kept: FileState = answers[FileQuestion(self._file.path)]
        differs = []
        if live != self.value:
            differs.append(f"{live or '(unset)'} -> {self.value}")
        if kept.sha256 != self._file.sha256 if self.kept else kept.exists:
            differs.append("kept for the next boot" if self.kept else "not kept for the next boot")
        return Change(Action.UPDATE, f"{self.name}: {', '.join(differs)}") if differs else None

    @property
    def rollback_summary(self) -> str:
        return "its former value"

    def snapshot_script(self, change: Change) -> str:
        return f"cat {SysctlQuestion(self.name).path} 2>/dev/null || echo; {STANDS % self._file.path}"

    def rollback(self, action: Action, snapshot: bytes) -> Rollback:
        live, _, kept = snapshot.partition(b"\n")
        value = " ".join(live.decode("utf-8", "replace").split())
        return Rollback((replace(self, value=value, kept=PriorEntry.read(kept) is not None),) if value else ())

    @property
    def removed(self) -> Resource | None:
        return self._file.removed

    def fix(self, change: Change) -> Step:
        target = SysctlQuestion(self.name).path
        write = f"printf '%s\\n' '{self.value}' >{target}\n"
        file = self._file
        if not self.kept:
            return Step(f"rm -f {file.path}\n{write}")
        return Step(place(file.path, file.mode, file.owner, file.group) + write, file.payload)
