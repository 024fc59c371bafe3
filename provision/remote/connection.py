"""One connection per host, opened strictly, and the step protocol over it.

Fabric's Connection does what operators expect of it (ssh_config, jump hosts, agents, keys). Three things are ours:
host keys are always checked (Fabric installs AutoAddPolicy and loads no known_hosts, read in 3.2.3), the socket is
opened by us with TCP_NODELAY (a further exec costs 3.5 ms instead of 48, measured), and everything has a deadline.
"""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

from provision.errors import FailedError, ProvisionError, UnreachableError
from provision.remote.login import Login, first_socket, hops, unreachable
from provision.remote.protocol import HEARTBEAT, Reader, Step, StepResult, frame, hello, loader

GRACE = 15.0  # seconds that a host may stay silent beyond a step's own timeout
PING_EVERY = 5.0


class Connection:
    """One SSH connection to one host. Raises UnreachableError when it can't be had within its deadline."""

    kept = False

    def __init__(self, login: Login) -> None:
        self.login = login
        self.connections = 0
        self.execs = 0
        self._fabric = self._open()

    def _open(self) -> Any:
        chain = hops(self.login)
        try:
            if chain[0].gateway is None:
                chain[0].connect_kwargs["sock"] = first_socket(chain[0], self.login)
            for hop in chain:
                hop.open()
        except Exception as error:
            for hop in reversed(chain):
                with contextlib.suppress(Exception):
                    hop.close()
            raise unreachable(self.login, error) from None
        self.connections += 1
        chain[-1].transport.set_keepalive(15)
        return chain[-1]

    @property
    def transport(self) -> Any:
        """The paramiko transport, for whoever multiplexes more channels over the connection (verify)."""
        return self._fabric.transport

    def execute(self, command: str) -> Any:
        """A paramiko channel that runs `command`. Counted."""
        channel = self.transport.open_session(timeout=self.login.timeout)
        channel.exec_command(command)
        self.execs += 1
        return channel

    def renew(self) -> bool:
        """Every connection is a new one."""
        return False

    def refusal(self, channel: Any, output: str, *, ready: bool) -> ProvisionError | None:
        """Who is not let in has no connection."""
        return None

    def ping(self) -> None:
        """Asks the host's sshd for a sign of life, and waits for it: a frozen one still acknowledges TCP."""
        self.transport.global_request("keepalive@openssh.com", wait=True)

    def cut(self) -> None:
        """Ends the connection at once, whatever runs over it."""
        with contextlib.suppress(Exception):
            self.transport.close()

    def close(self) -> None:
        """Ends the connection in order."""
        with contextlib.suppress(Exception):
            self._fabric.close()


class Carrier(Protocol):
    """What a session is held over: a connection of SSH, or this machine itself.

    kept: an earlier run's connection is used, and may have died. renew: whether there is a new one instead of it.
    refusal: why a channel ended without its command; None where the command says it.
    """

    @property
    def login(self) -> Login: ...

    @property
    def kept(self) -> bool: ...

    def execute(self, command: str) -> Any: ...

    def renew(self) -> bool: ...

    def refusal(self, channel: Any, output: str, *, ready: bool) -> ProvisionError | None: ...

    def ping(self) -> None: ...

    def cut(self) -> None: ...


class Session:
    """A loader on a host. It starts while its caller goes on; whether it did is known once the first step has run."""

    def __init__(self, connection: Carrier) -> None:
        self._connection = connection
        self._sending = threading.Lock()
        self._idle_timeout: float | None = None
        self._ready = False
        self._open()

    def _open(self) -> None:
        login = self._connection.login
        token = f"provision-{secrets.token_hex(12)}"
        become = login.become_user
        self._channel = self._connection.execute(loader(become))
        self._reader = Reader(token)
        self._errors = bytearray()
        self._awaited = False  # whether the loader looks for a sign of life by now
        self._send(hello(token, login.become_password if become else None))

    def begin(self) -> None:
        """Waits until the loader runs, if it does not yet. Raises FailedError (sudo refused) or UnreachableError."""
        self._begin()

    def _begin(self) -> bool:
        """As `begin`. Whether what was sent before is lost, with a connection of an earlier run that was dead."""
        if self._ready:
            return False
        login, kept = self._connection.login, self._connection.kept
        renewed = False
        try:
            self._await(self._reader.ready, login.timeout + (0 if kept else GRACE), "to start a shell", cut=not kept)
        except UnreachableError:
            renewed = self._connection.renew()
            if not renewed:
                raise
            self._open()
            self._await(self._reader.ready, login.timeout + GRACE, "to start a shell")
        self._ready = True
        return renewed

    def run(self, step: Step) -> StepResult:
        """Runs one step to its end.

        Raises UnreachableError when the line breaks or the host stays silent; the step may have finished there all
        the same, so whoever comes next asks the host again. Raises FailedError when sudo was refused.
        """
        self._start(step)
        return self._finish(step)

    def run_in_turn(self, *steps: Step) -> tuple[StepResult, ...]:
        """Runs steps one after the other, however each ends. The host has the next one when it is done with the first.

        Raises as `run` does, also where some of them are done.
        """
        for step in steps:
            self._start(step)
        return tuple(self._finish(step) for step in steps)

    def post(self, step: Step) -> None:
        """Sends a step without a payload, and waits for nothing: the host runs it before the session ends."""
        self._begin()
        self._send_step(step)

    def _start(self, step: Step) -> None:
        # over a kept connection only what may be asked twice: it may be dead, and its last words still arrive
        at_once = not self._ready and not step.payload_size and (step.asks or not self._connection.kept)
        if at_once:
            # it is there when the loader is; what keeps the loader from starting is what `begin` meets
            with contextlib.suppress(UnreachableError):
                self._send_step(step)
        if self._begin() or not at_once:
            self._send_step(step)

    def _finish(self, step: Step) -> StepResult:
        result: list[StepResult] = []

        def arrived() -> bool:
            found = self._reader.result()
            if found is not None:
                result.append(found)
            return found is not None

        self._await(arrived, step.timeout + GRACE, "to finish a step")
        return result[0]

    def set_idle_timeout(self, seconds: float) -> None:
        """From the next step on the loader ends after that many seconds without a step or a heartbeat."""
        self._idle_timeout = seconds

    def heartbeat(self) -> None:
        """Tells a waiting loader that its controller is alive. Never waits, never raises: a step tells it too."""
        if self._awaited and self._sending.acquire(blocking=False):
            try:
                with contextlib.suppress(Exception):
                    self._channel.send(HEARTBEAT)
            finally:
                self._sending.release()

    def end(self) -> None:
        """Lets the loader end, and does not wait for it; it removes its temporary folder by itself."""
        with contextlib.suppress(Exception):
            self._channel.shutdown_write()

    def close(self) -> None:
        """Ends the loader, and waits for its end."""
        self.end()
        with contextlib.suppress(Exception):
            self._channel.settimeout(2)
            while self._channel.recv(4096):
                pass
            self._channel.close()

    def _send_step(self, step: Step) -> None:
        with self._sending:
            for data in frame(step, self._idle_timeout, awaited=self._awaited):
                self._send(data)
            self._awaited = self._idle_timeout is not None

    def _send(self, data: bytes) -> None:
        try:
            self._channel.settimeout(GRACE + 15)
            self._channel.sendall(data)
        except (OSError, EOFError) as error:
            raise self._lost(f"sending failed: {error or type(error).__name__}") from None

    def _await(self, done: Callable[[], bool], seconds: float, what: str, *, cut: bool = True) -> None:
        end = time.monotonic() + seconds
        next_ping = time.monotonic() + PING_EVERY
        ping: _Ping | None = None
        channel = self._channel
        channel.settimeout(0.5)
        while not done():
            now = time.monotonic()
            if now > end or (ping is not None and ping.overdue(now)):
                if cut:
                    self._connection.cut()
                waited = seconds if now > end else GRACE
                raise self._lost(f"it did not answer for {waited:.0f} s (waited for it {what})")
            if now > next_ping and (ping is None or ping.answered):
                ping, next_ping = _Ping(self._connection.ping), now + PING_EVERY
            if channel.recv_stderr_ready():
                self._errors += channel.recv_stderr(65536)
            try:
                data = channel.recv(262_144)
            except TimeoutError:
                continue
            except OSError as error:
                raise self._lost(str(error)) from None
            if not data:
                raise self._ended()
            self._reader.feed(data)

    def _ended(self) -> Exception:
        while self._channel.recv_stderr_ready():
            self._errors += self._channel.recv_stderr(65536)
        output = (bytes(self._reader.pending) + bytes(self._errors)).decode("utf-8", "replace").strip()
        if refused := self._connection.refusal(self._channel, output, ready=self._ready):
            return refused
        login = self._connection.login
        if login.become_user and ("sudo" in output or "password" in output or "sudoers" in output):
            return FailedError(
                f"sudo to {login.become_user} was refused for user {login.user}",
                host=login.name,
                found=f"sudo said: {output.splitlines()[-1]}" if output else "",
                do="Give the password with --ask-become-pass or ansible_become_password, "
                f"or allow the user sudo (usermod -aG sudo {login.user})",
            )
        return self._lost(output.splitlines()[-1] if output else "the connection was closed")

    def _lost(self, why: str) -> UnreachableError:
        login = self._connection.login
        return UnreachableError(
            "lost the connection",
            host=login.name,
            found=f"{login.place}: {why}",
            do="Look whether the host is up; run the same command again: it finds out what was done",
        )


class _Ping:
    """A sign of life that is asked for beside whatever else goes on."""

    def __init__(self, ping: Callable[[], None]) -> None:
        self.answered = False
        self._since = time.monotonic()
        self._wait = ping
        threading.Thread(target=self._ask, daemon=True).start()

    def _ask(self) -> None:
        with contextlib.suppress(Exception):
            self._wait()
            self.answered = True

    def overdue(self, now: float) -> bool:
        return not self.answered and now - self._since > GRACE
