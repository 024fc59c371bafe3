"""testinfra over the engine's own connection: `host.service("nginx").is_running` in a check costs one step, no exec."""

from __future__ import annotations

from typing import Any

from testinfra.backend.base import BaseBackend, CommandResult

from provision.remote.protocol import Step
from provision.verify.locations import HostLocation

SECONDS = 60.0


class StepBackend(BaseBackend):  # type: ignore[misc]
    """A testinfra backend. The connection is the one that all checks of a host share."""

    NAME = "provision"

    def __init__(self, location: HostLocation, *args: Any, **kwargs: Any) -> None:
        self._location = location
        super().__init__(location.login.name, *args, **kwargs)

    def run(self, command: str, *args: str, **kwargs: Any) -> CommandResult:
        """A command line with its arguments quoted by testinfra."""
        line = self.get_command(command, *args)
        done = self._location.run(Step(line, timeout=SECONDS))
        return self.result(done.code, line, done.output, done.errors)
