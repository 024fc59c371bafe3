"""What every resource is: a desired state, the questions it asks, the comparison, the fix."""

from __future__ import annotations

import difflib
import hashlib
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, Self

from provision.errors import InputError
from provision.facts.host import StampQuestion
from provision.facts.question import STAMPS, Answers, Question
from provision.remote.protocol import Step
from provision.secret import Redactor, Secret


class Action(StrEnum):
    """What a change does. Journals on hosts and `--json` write these words."""

    CREATE = "create"
    UPDATE = "update"
    REMOVE = "remove"
    RESTART = "restart"
    RUN = "run"


@dataclass(frozen=True)
class Change:
    """A difference that a fix will end. `parts` names what differs; `diff` is a unified diff or ''.

    drained: hosts that a roll has drained, and by which run; a fix leaves them out as it found them.
    """

    action: Action
    summary: str
    diff: str = ""
    parts: frozenset[str] = frozenset()
    drained: tuple[tuple[str, str], ...] = ()

    @property
    def triggers_dependents(self) -> bool:
        """Whether what follows the resource has to follow this: not for a mode or an owner alone."""
        return self.parts != frozenset({"attributes"})


@dataclass(frozen=True)
class Rollback:
    """How a change is undone: resources as they were before. why: what of it, or all, can't be, and why."""

    resources: tuple[Resource, ...] = ()
    why: str = ""


@dataclass(frozen=True)
class Unknown:
    """Cannot be known before something else happened: printed as 'known after …', never guessed."""

    until: str


@dataclass(frozen=True)
class AsDeclared:
    """The host already is what the resource declares."""


AS_DECLARED = AsDeclared()
Outcome = Change | Unknown | AsDeclared


@dataclass(frozen=True)
class Template:
    """A file's content, rendered from `templates/<source>` for the host with these variables added."""

    source: str
    variables: dict[str, Any] = field(default_factory=dict, hash=False)

    def __init__(self, source: str, **variables: Any) -> None:
        object.__setattr__(self, "source", source)
        object.__setattr__(self, "variables", variables)


@dataclass(frozen=True)
class Pending:
    """Content that does not exist yet; `until` says what makes it, as the plan prints it."""

    until: str


FORMER_KEPT = 262_144  # bytes that a host remembers of what stood there before one change
STANDS = "find %s -maxdepth 0 -printf '%%y\\t%%m\\t%%u\\t%%g\\t%%s\\t%%l\\n' 2>/dev/null"  # sh: one line, or none

Content = str | bytes | Path | Template | Pending


@dataclass(frozen=True)
class Rendering:
    """How templates become text for one host; a resource that several others name is rendered once."""

    template: Callable[[Template], str]
    _done: dict[int, tuple[Resource, Resource]] = field(default_factory=dict)

    def resource(self, resource: Resource) -> Resource:
        """The resource with its templates, and those of the resources it names, rendered."""
        if id(resource) not in self._done:
            # the original is kept too: an id is another object's as soon as its own is gone
            self._done[id(resource)] = (resource, resource.rendered(self))
        return self._done[id(resource)][1]


@dataclass(frozen=True, kw_only=True)
class Resource(ABC):
    """Something that a host should be. Frozen; wrong fields raise InputError when it is made.

    closed: fields whose text can be kept from everybody but those who may have it.
    """

    closed: ClassVar[frozenset[str]] = frozenset()

    @property
    @abstractmethod
    def key(self) -> str:
        """Kind and name, the resource's identity on its host: `File /etc/hosts`."""

    def rendered(self, rendering: Rendering) -> Resource:
        """The same with its templates rendered."""
        return self

    def redacting(self, redactor: Redactor) -> Resource:
        """The same, once rendered, so that it keeps the secrets that its role has seen.

        Raises InputError where it can't: commands, paths and URLs are seen by everybody on the host.
        """
        for each in fields(self):
            texts = () if each.name in self.closed else _texts(getattr(self, each.name))
            if any(isinstance(text, Secret) or redactor.finds(text) for text in texts):
                raise InputError(
                    f"{self.key}: there is a secret in its {each.name}",
                    found="Everybody on the host would see it",
                    do="Let the program read it from a File; if it is no secret, keep it out of the vault",
                )
        return self

    @abstractmethod
    def questions(self) -> tuple[Question, ...]:
        """What must be known of the host to compare."""

    @abstractmethod
    def compare(self, answers: Answers, changed_dependencies: Sequence[str]) -> Change | Unknown | None:
        """The difference, None when the host is as declared.

        changed_dependencies: keys of the resources in `restart_on` that change in this run.

        Raises FailedError when the host is in a state that no fix may touch.
        """

    def evidence(self, change: Change) -> tuple[Question, ...]:
        """What else to ask for a readable diff, once it is known that something differs."""
        return ()

    def explain(self, change: Change, answers: Answers) -> Change:
        """The change with its diff, once `evidence` was answered."""
        return change

    @abstractmethod
    def fix(self, change: Change) -> Step:
        """The step that ends the difference."""

    def confirm_step(self, change: Change) -> Step | None:
        """What a host has to hear, over a new connection, or it takes the fix back by itself. None: it does not."""
        return None

    @property
    def rollback_summary(self) -> str:
        """How a change of this resource is undone, as `plan --verbose` prints it."""
        return "cannot be undone"

    @property
    def contents(self) -> tuple[bytes, ...]:
        """What it writes: looked through for secrets."""
        return ()

    @property
    def without_contents(self) -> Resource:
        """The same without what must not, or need not, be written down beside what `former` prints."""
        return self

    # whether it is undone by what was declared before, where that is known: how it is started, when it is ready
    as_before: ClassVar[bool] = False

    def snapshot_script(self, change: Change) -> str:
        """sh that prints what `undone` needs, run before the fix; at most FORMER_KEPT bytes of it are kept."""
        return ":"

    def rollback(self, action: Action, snapshot: bytes) -> Rollback:
        """What makes a change undone. action: the Change's; former: what stood there, as `former` printed it."""
        return Rollback(why=self.rollback_summary)

    @property
    def removed(self) -> Resource | None:
        """What takes this resource off a host once no role declares it; None: nothing of its own stays there."""
        return None

    @property
    def restart_on(self) -> tuple[Resource, ...]:
        """Resources whose change this one has to follow."""
        return ()

    @property
    def stamp(self) -> str:
        """The name of the stamp that says what was last activated; '' for a resource that activates nothing."""
        return ""

    @property
    def paths(self) -> tuple[str, ...]:
        """Paths on the host that belong to this resource alone."""
        return ()

    @property
    def digest(self) -> str:
        """Identifies the desired state: what an activation is stamped with."""
        return hashlib.sha256(repr(self).encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Following(Resource):
    """A resource that has to follow others, which it names in one of its fields: `follows` says in which."""

    follows: ClassVar[str]

    def rendered(self, rendering: Rendering) -> Self:
        return replace(self, **{self.follows: tuple(rendering.resource(r) for r in self.restart_on)})

    @property
    def restart_on(self) -> tuple[Resource, ...]:
        found: tuple[Resource, ...] = getattr(self, self.follows)
        return found


@dataclass(frozen=True)
class PriorEntry:
    """What stood at a path, as STANDS prints it; the rest of what was printed is its content."""

    kind: str
    mode: str
    owner: str
    group: str
    size: int
    target: str
    content: bytes

    @staticmethod
    def read(snapshot: bytes) -> PriorEntry | None:
        """None when nothing stood there."""
        line, _, content = snapshot.partition(b"\n")
        parts = line.decode("utf-8", "surrogateescape").split("\t")
        if len(parts) != 6:
            return None
        kind, mode, owner, group, size, target = parts
        return PriorEntry(kind, mode.zfill(4), owner, group, int(size), target, content)


def _texts(value: Any) -> Iterator[str | bytes]:
    """Every text in a field's value. Other resources in it speak for themselves."""
    if isinstance(value, (str, bytes)):
        yield value
    elif isinstance(value, Mapping):
        yield from _texts([*value, *value.values()])
    elif isinstance(value, (list, tuple, set, frozenset)):
        for item in value:
            yield from _texts(item)
    elif is_dataclass(value) and not isinstance(value, Resource):
        yield from _texts([getattr(value, each.name) for each in fields(value)])


def world_readable(mode: str) -> bool:
    """Whether everybody on the host may read what has this mode (octal digits)."""
    return bool(int(mode, 8) & 0o004)


def activation(resources: Sequence[Resource]) -> str:
    """One digest of everything that a program reads."""
    return hashlib.sha256("".join(r.digest for r in resources).encode()).hexdigest()[:32]


def clear_stamp(stamp: str) -> str:
    """sh that marks an activation as owed, before anything it depends on changes."""
    return f"rm -f {STAMPS}/{stamp}\n"


def write_stamp(stamp: str, value: str) -> str:
    """sh that writes what was activated."""
    return f"mkdir -p {STAMPS}\nprintf '%s\\n' {value} >{STAMPS}/{stamp}\n"


def stamp_question(stamp: str) -> StampQuestion:
    """Asks what was last activated."""
    return StampQuestion(stamp)


def check_path(kind: str, path: str) -> None:
    """An absolute path without oddities, or InputError."""
    if not path.startswith("/") or path != path.rstrip("/") or re.search(r"[\n\t\\]|//", path):
        raise InputError(
            f"{kind} {path!r} is not a usable path",
            do="Give an absolute path without a trailing slash, '//', backslash or line break",
        )


def check_mode(kind: str, path: str, mode: str) -> None:
    """Four octal digits as a string, or InputError: 644 as a number means mode 1204."""
    if not isinstance(mode, str) or not re.fullmatch(r"[0-7]{4}", mode):
        good = f"{int(str(mode), 8):04o}" if re.fullmatch(r"[0-7]{3,4}", str(mode)) else "0644"
        raise InputError(f"{kind} {path}: mode {mode!r} is not four octal digits in quotes", do=f'Write mode="{good}"')


def check_name(kind: str, what: str, name: str, pattern: str) -> None:
    """`name` matches `pattern` whole, or InputError."""
    if not isinstance(name, str) or not re.fullmatch(pattern, name):
        raise InputError(f"{kind}: {what} {name!r} has a form that cannot be right", do=f"It has to match {pattern}")


def unified(before: str, after: str, name: str) -> str:
    """A unified diff with three lines of context, without the two header lines' dates."""
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), f"{name} (on the host)", f"{name} (declared)", lineterm=""
    )
    return "\n".join(lines)
