"""What every resource is: a key, the questions it asks of a host, the comparison, and the fix."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from provision.facts.question import Answers, Question
from provision.remote.protocol import Step
from provision.resources.content import Template


class Action(StrEnum):
    """What a change does. Journals on hosts and `--json` write these words."""

    CREATE = "create"
    UPDATE = "update"
    REMOVE = "remove"
    RESTART = "restart"
    RUN = "run"


@dataclass(frozen=True)
class Change:
    """A difference that a fix removes. `parts` names what differs; `diff` is a unified diff or ''.

    drained: hosts that a rolling update has drained, and by which run; a fix leaves them as it found them.
    """

    action: Action
    summary: str
    diff: str = ""
    parts: frozenset[str] = frozenset()
    drained: tuple[tuple[str, str], ...] = ()

    @property
    def triggers_dependents(self) -> bool:
        """Whether resources that depend on this one have to act: not for a mode or an owner alone."""
        return self.parts != frozenset({"attributes"})


@dataclass(frozen=True)
class Unknown:
    """Cannot be known before something else has happened: printed as 'known after …', never guessed."""

    until: str


@dataclass(frozen=True)
class AsDeclared:
    """The host already is what the resource declares."""


AS_DECLARED = AsDeclared()
Outcome = Change | Unknown | AsDeclared


@dataclass(frozen=True, kw_only=True)
class Resource(ABC):
    """A desired state of a host. Frozen; __post_init__ raises InputError for wrong fields.

    Four members are required: key, questions, compare and fix. The next three have defaults that suit most resources.
    Everything else is optional, one base class each in provision/resources/optional: Reversible (rollback), Removable
    (deploy --prune), Explainable (diffs), Dependent (restarts), Sensitive (secrets), Confirmable.

    diff_at_once: `compare` gives its Change a diff; a plan then depends on that.
    """

    diff_at_once: ClassVar[bool] = False

    @property
    @abstractmethod
    def key(self) -> str:
        """Kind and name, the resource's identity on its host: `File /etc/hosts`."""

    @abstractmethod
    def questions(self) -> tuple[Question, ...]:
        """What `compare` has to know of the host."""

    @abstractmethod
    def compare(self, answers: Answers, changed_dependencies: Sequence[str]) -> Change | Unknown | None:
        """The difference between the host and the declaration; None when there is none.

        changed_dependencies: keys of the resources that this one depends on (see Dependent) and that change in this
        run. Raises FailedError when the host is in a state that no fix may touch.
        """

    @abstractmethod
    def fix(self, change: Change) -> Step:
        """The step that removes the difference."""

    @property
    def paths(self) -> tuple[str, ...]:
        """Paths on the host that belong to this resource alone; two resources with one path are refused."""
        return ()

    @property
    def digest(self) -> str:
        """Identifies the desired state: dependents act again when it is another one."""
        return hashlib.sha256(repr(self).encode()).hexdigest()

    def rendered(self, rendering: Rendering) -> Resource:
        """The same resource with its templates rendered."""
        return self


@dataclass(frozen=True)
class Rendering:
    """How templates become text for one host; a resource that several others name is rendered once."""

    template: Callable[[Template], str]
    _done: dict[int, tuple[Resource, Resource]] = field(default_factory=dict)

    def resource(self, resource: Resource) -> Resource:
        """The resource with its templates, and those of the resources it names, rendered."""
        if id(resource) not in self._done:
            # the original is stored too: Python reuses an id as soon as its object is gone
            self._done[id(resource)] = (resource, resource.rendered(self))
        return self._done[id(resource)][1]

    def resources(self, resources: Iterable[Resource]) -> tuple[Resource, ...]:
        """Each of them rendered."""
        return tuple(map(self.resource, resources))
