"""What travels between the controller and a worker: plain data, packed so that nobody on the way prints it."""

from __future__ import annotations

import pickle
from dataclasses import dataclass, field
from typing import Any

from provision.errors import ProvisionError
from provision.remote.login import Login
from provision.remote.protocol import Step, StepResult


@dataclass(frozen=True)
class Parcel:
    """A request or its answer. An engine that logs the arguments of a task, or its result, shows how many bytes."""

    packed: bytes = field(repr=False)

    @staticmethod
    def of(content: Any) -> Parcel:
        """Packs plain data."""
        return Parcel(pickle.dumps(content, protocol=pickle.HIGHEST_PROTOCOL))

    @property
    def content(self) -> Any:
        """What was packed."""
        return pickle.loads(self.packed)


@dataclass(frozen=True)
class Turn:
    """One step on one host; None only begins. key: of the session. fresh: it is the session's first turn."""

    key: str
    login: Login
    step: Step | None = None
    idle_timeout: float | None = None
    fresh: bool = False


@dataclass(frozen=True)
class Turned:
    """What came of a turn. gone: the worker knows no such session. connections, execs: of the session so far."""

    result: StepResult | None = None
    failure: Failure | None = None
    gone: bool = False
    connections: int = 0
    execs: int = 0


@dataclass(frozen=True)
class Failure:
    """A ProvisionError as plain data."""

    kind: type[ProvisionError]
    parts: dict[str, str]

    @staticmethod
    def of(error: ProvisionError) -> Failure:
        """The error's parts."""
        return Failure(type(error), error.explanation.as_dict())

    def error(self) -> ProvisionError:
        """The error that it was."""
        return self.kind(**self.parts)


@dataclass(frozen=True)
class Beat:
    """A sign of life of the controller. kept: its sessions here; due: those that a heartbeat goes to; ended: those that
    it needs no more; cut: whether these end at once."""

    kept: tuple[str, ...] = ()
    due: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()
    cut: bool = False


@dataclass(frozen=True)
class Introduce:
    """Asks who the worker is."""


@dataclass(frozen=True)
class Introduction:
    """Who a worker is. build: of its code."""

    host: str
    process: int
    build: str


Request = Turn | Beat | Introduce
