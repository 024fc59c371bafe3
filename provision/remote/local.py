"""The controller itself as a host (`ansible_connection: local`): the conversation of SSH, held with a child process.

Nothing is connected to.
"""

from __future__ import annotations

from provision.errors import ProvisionError, UnreachableError
from provision.remote.channel import ProcessChannel
from provision.remote.login import Login


class LocalConnection:
    """What provision.remote.connection.Connection is for a host behind SSH."""

    kept = False

    def __init__(self, login: Login) -> None:
        self.login = login
        self.connections = 0
        self.execs = 0
        self._channels: list[ProcessChannel] = []

    def execute(self, command: str) -> ProcessChannel:
        """A channel to `command`, run by sh. Counted. Raises UnreachableError."""
        try:
            channel = ProcessChannel(["sh", "-c", command])
        except OSError as error:
            found = error.strerror or str(error)
            raise UnreachableError("no shell could be started here", host=self.login.name, found=found) from None
        self._channels.append(channel)
        self.execs += 1
        return channel

    def renew(self) -> bool:
        """There is no other way to this machine."""
        return False

    def refusal(self, channel: ProcessChannel, output: str, *, ready: bool) -> ProvisionError | None:
        """Nobody has to be let in here."""
        return None

    def ping(self) -> None:
        """This machine is there."""

    def cut(self) -> None:
        """Stops talking at once; a step that runs goes on to its end, as behind a cut line."""
        for channel in self._channels:
            channel.cut()

    def close(self) -> None:
        """Stops talking; sessions have ended in order before."""
        self.cut()
