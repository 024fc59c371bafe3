"""systemd services."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from provision.facts.host import ReplacedBinaryQuestion, UnitQuestion, UnitState
from provision.facts.question import Answers, Question
from provision.remote.protocol import Step
from provision.remote.shell import Scripts, function, quote
from provision.resources.base import Action, Change, Rendering, Resource, Unknown
from provision.resources.optional.dependent import Dependent, combined_digest, stamp_question, write_stamp
from provision.resources.optional.reversible import Reversible, Rollback
from provision.resources.validation import check_name

SCRIPTS = Scripts(__file__)
BINARY = "binary"  # what differs
OLDER_BINARY = "restart: it runs an older binary than"


@dataclass(frozen=True, kw_only=True)
class Service(Dependent, Reversible):
    """A systemd unit, running and enabled or neither; restarted when anything in `restart_on` changes.

        Service(name="containerd", restart_on=(config,), ready="ctr version")

    ready: sh that succeeds once the program answers; it has ready_timeout seconds to do so after a start.
    reload: reload instead of restart.
    executable: the binary that it runs: restarted when a package has brought another one. pidfile: names the process
    that counts, where old ones may end slowly. renew: sh that has the new binary take over, instead of a restart.
    """

    name: str
    running: bool = True
    enabled: bool = True
    restart_on: tuple[Resource, ...] = field(default=(), repr=False)
    reload: bool = False
    ready: str = "true"
    ready_timeout: int = 60
    executable: str = ""
    pidfile: str = ""
    renew: str = ""
    reverts_to_declaration: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_name("Service", "name", self.name, r"[A-Za-z0-9:_.@\\-]+")

    @property
    def key(self) -> str:
        return f"Service {self.name}"

    @property
    def dependencies(self) -> tuple[Resource, ...]:
        return self.restart_on

    def rendered(self, rendering: Rendering) -> Service:
        return replace(self, restart_on=rendering.resources(self.restart_on))

    @property
    def stamp(self) -> str:
        return f"service-{self.name}" if self.restart_on else ""

    def questions(self) -> tuple[Question, ...]:
        stamp = (stamp_question(self.stamp),) if self.stamp else ()
        return (UnitQuestion(self.name), *stamp, *self._binary)

    @property
    def _binary(self) -> tuple[ReplacedBinaryQuestion, ...]:
        return (ReplacedBinaryQuestion(self.executable, self.pidfile),) if self.executable else ()

    def compare(self, answers: Answers, changed_dependencies: Sequence[str]) -> Change | Unknown | None:
        state: UnitState = answers[UnitQuestion(self.name)]
        differs, again = [], False
        if (state.active in ("active", "reloading")) is not self.running:
            differs.append(f"{state.active or 'absent'} -> {'running' if self.running else 'stopped'}")
        if state.load == "masked" and self.running:
            differs.append("masked -> unmasked")
        if state.enabled in ("enabled", "disabled") and (state.enabled == "enabled") is not self.enabled:
            differs.append(f"{state.enabled} -> {'enabled' if self.enabled else 'disabled'}")
        if self.running and self.stamp:
            verb = "reload" if self.reload else "restart"
            stamp = combined_digest(self.restart_on)
            again = bool(changed_dependencies) or answers[stamp_question(self.stamp)] != stamp
            if again and not differs:
                why = (
                    f"{', '.join(changed_dependencies)} changed"
                    if changed_dependencies
                    else "it runs with an older configuration"
                )
                differs.append(f"{verb}: {why}")
        if not differs and self.running and any(answers[question] for question in self._binary):
            return Change(Action.RESTART, f"{self.name}: {OLDER_BINARY} {self.executable}", parts=frozenset({BINARY}))
        if not differs:
            return None
        return Change(Action.RESTART if again else Action.UPDATE, f"{self.name}: {', '.join(differs)}")

    @property
    def rollback_summary(self) -> str:
        return "as it ran and was enabled before"

    def snapshot_script(self, change: Change) -> str:
        return f"systemctl show --property=ActiveState,UnitFileState -- {quote(self.name)}"

    def rollback(self, action: Action, snapshot: bytes) -> Rollback:
        properties = dict(
            line.split("=", 1) for line in snapshot.decode("utf-8", "replace").splitlines() if "=" in line
        )
        running = properties.get("ActiveState") in ("active", "reloading")
        return Rollback((replace(self, running=running, enabled=properties.get("UnitFileState") == "enabled"),))

    def fix(self, change: Change) -> Step:
        # a unit that only has to be started or enabled is not interrupted when it already runs
        verb = "start" if change.action is not Action.RESTART else "reload-or-restart" if self.reload else "restart"
        verb = verb if self.running else "stop"
        enable = "enable" if self.enabled else "disable"
        script = function("ready", self.ready)
        if self.renew and BINARY in change.parts:
            return Step(f"{self.renew}\n", timeout=self.ready_timeout + 90)
        script += SCRIPTS.call("service", self.name, enable, verb, str(self.ready_timeout))
        if self.running and self.stamp:
            script += write_stamp(self.stamp, combined_digest(self.restart_on))
        return Step(script, timeout=self.ready_timeout + 90)
