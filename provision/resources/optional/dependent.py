"""Restarts: a resource that has to act when others change, and the stamp that makes sure of it.

A stamp is a line on the host that says which configuration was activated last. The engine removes it before the first
dependency changes and the fix writes it at its end, so a restart that is due survives a cut connection.
"""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass

from provision.facts.host import StampQuestion
from provision.facts.question import STAMPS
from provision.remote.shell import quote
from provision.resources.base import Resource


@dataclass(frozen=True, kw_only=True)
class Dependent(Resource):
    """A resource that has to act when one of its dependencies changes: a service that restarts."""

    @property
    @abstractmethod
    def dependencies(self) -> tuple[Resource, ...]:
        """Resources whose change this one has to follow."""

    @property
    def stamp(self) -> str:
        """The name of the stamp that the fix writes; '' for none."""
        return ""


def dependencies_of(resource: Resource) -> tuple[Resource, ...]:
    """What any resource depends on."""
    return resource.dependencies if isinstance(resource, Dependent) else ()


def combined_digest(resources: Iterable[Resource]) -> str:
    """One digest of all that a program reads: the value of its stamp."""
    return hashlib.sha256("".join(r.digest for r in resources).encode()).hexdigest()[:32]


def clear_stamp(stamp: str) -> str:
    """sh that marks an activation as due."""
    path = quote(f"{STAMPS}/{stamp}")
    return f"[ ! -e {path} ] || rm -f {path}\n"


def write_stamp(stamp: str, value: str) -> str:
    """sh that records what was activated."""
    return f"mkdir -p {STAMPS}\nprintf '%s\\n' {quote(value)} >{quote(f'{STAMPS}/{stamp}')}\n"


def stamp_question(stamp: str) -> StampQuestion:
    """Asks what was activated last."""
    return StampQuestion(stamp)
