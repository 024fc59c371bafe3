"""`hdss7_transport: openssh`: a host behind the system's ssh, whose connection stays open for the next run.

It honours what ~/.ssh/config says of the host: hardware keys, certificates, Kerberos, ProxyCommand, Match. The
conversation over it is the same as over Fabric's connection.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Mapping

from provision.errors import FailedError, UnreachableError
from provision.remote.channel import ProcessChannel
from provision.remote.login import Login
from provision.remote.masters import Master
from provision.remote.openssh_argv import argv
from provision.remote.openssh_errors import refusal, tells

FAILED = 255  # ssh's own exit code, whatever went wrong with it


class OpenSshConnection:
    """What provision.remote.connection.Connection is, by ssh's own processes. kept: an earlier run's is used.

    Nothing is waited for here: who may not log in shows when its session begins.
    """

    def __init__(self, login: Login) -> None:
        self.login = login
        self.connections = 0
        self.execs = 0
        self._channels: list[ProcessChannel] = []
        self._cut = False
        self._master = None if login.fresh else _master(login)
        self.kept = self._master is not None and self._master.alive()

    def execute(self, command: str) -> ProcessChannel:
        """A channel to `command` on the host. Counted. Raises FailedError where there is no ssh."""
        words = [*argv(self.login, self._master.socket if self._master else None), command]
        try:
            channel = ProcessChannel(words, environment(self.login))
        except OSError as error:
            raise FailedError(
                "the program ssh could not be started",
                host=self.login.name,
                found=error.strerror or str(error),
                do="Install openssh-client, or use --transport fabric",
            ) from None
        self._channels.append(channel)
        self.execs += 1
        self.connections += not self.kept
        return channel

    def renew(self) -> bool:
        """What an earlier run left did not lead to the host: whether there is another way, a connection of its own."""
        if not self.kept or self._cut or self._master is None:
            return False
        self._end()
        self._master.retire()
        self.kept = False
        return True

    def refusal(self, channel: ProcessChannel, output: str, *, ready: bool) -> UnreachableError | None:
        """Why ssh itself ended; None where the command on the host did. ready: it had begun."""
        if channel.exit_code() != FAILED or ready:
            return None
        if not self.kept:
            self.connections -= 1
        self.execs -= 1
        return refusal(self.login, output if tells(output) else self._said_alone() or output)

    def ping(self) -> None:
        """ssh asks by itself (ServerAliveInterval), and ends when nothing answers."""

    def cut(self) -> None:
        """Ends what runs over it at once; others may use the connection that stays."""
        self._cut = True
        self._end()

    def close(self) -> None:
        """Leaves the connection to the next run; sessions have ended in order before."""
        self.cut()

    def _said_alone(self) -> str:
        """What ssh says where it keeps no connection: with one it silences whatever leads to the host, a jump host
        that refuses us and the inventory's dialler too (read in OpenSSH 9.2, sshconnect.c)."""
        words, seconds = [*argv(self.login, None), "exit"], 3 * self.login.timeout
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            asked = subprocess.run(
                words, env=environment(self.login), input=b"", capture_output=True, timeout=seconds, check=False
            )
            return asked.stderr.decode("utf-8", "replace")
        return ""

    def _end(self) -> None:
        for channel in self._channels:
            channel.end()


def _master(login: Login) -> Master:
    """Everything that decides how the host is reached is in its name."""
    return Master.of(login.dial, login.place, argv(login, None), (*login.known_hosts, *login.key_files))


def environment(login: Login) -> Mapping[str, str]:
    """ssh must ask nobody, not by a window either. What is run to reach the host is written for sh, and imports what
    this process could."""
    environment = {**os.environ, "SSH_ASKPASS_REQUIRE": "never"}
    if login.dial or login.jumps:
        environment["SHELL"] = "/bin/sh"
    if login.dial:
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    return environment
