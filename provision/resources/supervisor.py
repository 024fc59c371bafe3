"""Programs under supervisord."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from provision.facts.host import ProgramQuestion, ReplacedBinaryQuestion
from provision.facts.question import Answers, Question
from provision.remote.protocol import Step
from provision.remote.shell import Scripts, function
from provision.resources.base import Action, Change, Rendering, Resource, Unknown
from provision.resources.optional.dependent import Dependent, combined_digest, stamp_question, write_stamp
from provision.resources.optional.removable import Removable
from provision.resources.optional.reversible import Reversible, Rollback
from provision.resources.validation import check_name

SCRIPTS = Scripts(__file__)


@dataclass(frozen=True, kw_only=True)
class Program(Dependent, Reversible, Removable):
    """A program that supervisord keeps running; restarted when anything in `restart_on` changes.

        Program(name="kube-proxy-7-21", restart_on=(script, unit, binary), ready="curl -fs 127.0.0.1:10256/healthz",
                log="/data/logs/kubernetes/kube-proxy/proxy.stdout.log")

    executable: the binary that it runs: the program is restarted when a package has brought another one.
    ready: sh that succeeds once the program itself answers: supervisor's RUNNING says only that it has not exited.
    $began there is the moment before the start, as Kubernetes writes times.
    may_stop: sh that fails, saying why, while the program may not be stopped: nothing is restarted then.
    ready_timeout: seconds. When it does not come up, the last lines of `log` are shown, and what `diagnose` prints.
    """

    name: str
    ready: str
    log: str
    executable: str = ""
    restart_on: tuple[Resource, ...] = field(default=(), repr=False)
    ready_timeout: int = 60
    diagnose: str = ""
    may_stop: str = ""
    absent: bool = False
    reverts_to_declaration: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_name("Program", "name", self.name, r"[A-Za-z0-9_.-]+")

    @property
    def key(self) -> str:
        return f"Program {self.name}"

    @property
    def dependencies(self) -> tuple[Resource, ...]:
        return self.restart_on

    def rendered(self, rendering: Rendering) -> Program:
        return replace(self, restart_on=rendering.resources(self.restart_on))

    @property
    def stamp(self) -> str:
        return f"program-{self.name}"

    def questions(self) -> tuple[Question, ...]:
        binary = (ReplacedBinaryQuestion(self.executable),) if self.executable else ()
        return (ProgramQuestion(self.name), stamp_question(self.stamp), *binary)

    def compare(self, answers: Answers, changed_dependencies: Sequence[str]) -> Change | Unknown | None:
        running: tuple[int, ...] = answers[ProgramQuestion(self.name)]
        if self.absent:
            return Change(Action.REMOVE, f"stop {self.name}") if running else None
        if not running:
            return Change(Action.CREATE, f"start {self.name}")
        if changed_dependencies:
            return Change(Action.RESTART, f"restart {self.name}: {', '.join(changed_dependencies)} changed")
        if answers[stamp_question(self.stamp)] != combined_digest(self.restart_on):
            return Change(Action.RESTART, f"restart {self.name}: it runs with an older configuration")
        if self.executable and answers[ReplacedBinaryQuestion(self.executable)]:
            return Change(Action.RESTART, f"restart {self.name}: it runs an older binary than {self.executable}")
        return None

    @property
    def rollback_summary(self) -> str:
        return "restarted with its previous files; stopped if it had none"

    def rollback(self, action: Action, snapshot: bytes) -> Rollback:
        started = action is Action.CREATE and any(getattr(r, "absent", False) for r in self.restart_on)
        return Rollback((replace(self, absent=started),))

    @property
    def removal(self) -> Resource | None:
        return None if self.absent else replace(self, absent=True, restart_on=())

    def fix(self, change: Change) -> Step:
        if change.action is Action.REMOVE:
            return Step(SCRIPTS.call("stop_program", self.name))
        script = function("may_stop", self.may_stop) + "may_stop || exit 1\n" if self.may_stop else ""
        script += function("ready", self.ready) + function("diagnose", self.diagnose or ":")
        script += SCRIPTS.call("program", self.name, self.log, str(self.ready_timeout), PIDFILE=ProgramQuestion.pidfile)
        script += write_stamp(self.stamp, combined_digest(self.restart_on))
        return Step(script, timeout=2 * self.ready_timeout + 60)
