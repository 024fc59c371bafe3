"""Where a check runs its commands: a host over its own connection, the controller, or the ops host."""

from __future__ import annotations

import importlib
import secrets
import subprocess
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, TypeVar

from provision.errors import FailedError, InputError, UnreachableError
from provision.facts.gather import answer
from provision.facts.question import Question, ask
from provision.remote.connection import Session
from provision.remote.host import Reach, RemoteHost
from provision.remote.login import Login
from provision.remote.protocol import Step, StepResult

OUTSIDE = "outside"
BATCH_SECONDS = 60.0
T = TypeVar("T")
Wrap = Callable[[list[str]], list[str]]


class Location(Protocol):
    """A place that answers questions, one batch at a time. Raises ProvisionError when it can't be reached."""

    def answers(self, asked: Iterable[Question]) -> Mapping[Any, Any]: ...

    def close(self) -> None: ...


class HostLocation:
    """A host: one connection and one exec for all that is asked of it, opened when first needed."""

    def __init__(self, login: Login, reach: Reach = RemoteHost) -> None:
        self.login = login
        self._remote = reach(login)
        self._lock = threading.Lock()

    def answers(self, asked: Iterable[Question]) -> Mapping[Any, Any]:
        """Everything asked, in one step."""
        return self._with(lambda session: answer(session, asked))

    def run(self, step: Step) -> StepResult:
        """One step, for testinfra."""
        return self._with(lambda session: session.run(step))

    def close(self) -> None:
        """Ends the connection."""
        self._remote.close()

    def _with(self, work: Callable[[Session], T]) -> T:
        """A connection that breaks is given up: the next question opens another (the host may just have rebooted)."""
        with self._lock:
            try:
                return work(self._remote.session())
            except UnreachableError:
                self._remote.close()
                raise


class LocalLocation:
    """Programs of the controller. wrap: makes of a command line the one that runs it elsewhere (the lab's ops host)."""

    def __init__(self, wrap: Wrap = lambda argv: argv) -> None:
        self._wrap = wrap

    def answers(self, asked: Iterable[Question]) -> Mapping[Any, Any]:
        """Everything asked, by one shell."""
        request = ask(asked, f"mark-{secrets.token_hex(8)}")
        try:
            done = subprocess.run(
                self._wrap(["sh"]),
                input=request.script,
                capture_output=True,
                text=True,
                timeout=BATCH_SECONDS,
                check=False,
            )
            return request.answers(done.stdout)
        except (OSError, ValueError, subprocess.TimeoutExpired) as error:
            raise FailedError(
                "could not look at the site from outside",
                found=str(error),
                do="Run it again; look whether the ops host works",
            ) from None

    def close(self) -> None:
        """Nothing stays open."""


def wrapper(spec: str) -> Wrap:
    """The function that the variable `hdss7_ops_host` names: `module:function [argument …]`, its arguments after argv.

    It makes of a command line of the controller one that runs as if on the ops host. Raises InputError.
    """
    if not spec:
        return lambda argv: argv
    name, *arguments = spec.split()
    module, _, function = name.partition(":")
    try:
        wrap = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError) as error:
        raise InputError(
            f"the variable hdss7_ops_host names {name!r}, which does not exist",
            found=str(error),
            do="Write module:function, or leave it out: then the ops host is asked over SSH",
        ) from None
    return lambda argv: list(wrap(argv, *arguments))
