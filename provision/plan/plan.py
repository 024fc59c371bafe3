"""What is declared, compared with what is: the plan. Pure."""

from __future__ import annotations

import hashlib
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from provision.errors import FailedError, ProvisionError, UnsupportedError
from provision.facts.managed import Managed, ManagedQuestion
from provision.facts.platform import Platform, PlatformQuestion
from provision.facts.question import Answers, Question
from provision.resources.base import AS_DECLARED, Action, AsDeclared, Change, Outcome, Resource, Unknown
from provision.resources.optional.dependent import dependencies_of
from provision.resources.optional.explainable import evidence_for, explain
from provision.secret import NOTHING, Redactor

# The oldest releases that are accepted; Debian 12 is the one that is tested.
SUPPORTED = {"debian": 12, "ubuntu": 22}


class StaleError(FailedError):
    """The host, or what is declared, is not what the plan was made of; exit 1."""


@dataclass(frozen=True)
class Declaration:
    """A resource of one host, and where it comes from. `play` is the play's number; `line` is `file:line`."""

    resource: Resource
    role: str
    line: str
    play: int
    tags: frozenset[str] = frozenset()
    written: Resource | None = field(default=None, repr=False, compare=False)  # as the role made it, not rendered
    made_as: str = ""  # how the host's index names what this takes away
    redactor: Redactor = field(default=NOTHING, repr=False, compare=False)  # of the secrets that the role has seen


@dataclass(frozen=True)
class Item:
    """One line of a plan."""

    declaration: Declaration
    outcome: Outcome

    @property
    def resource(self) -> Resource:
        """The declared resource."""
        return self.declaration.resource

    @property
    def as_declared(self) -> bool:
        """Whether there is nothing to do for this resource."""
        return isinstance(self.outcome, AsDeclared)

    @property
    def action(self) -> Action | None:
        """What will be done; None where nothing is known to differ."""
        return self.outcome.action if isinstance(self.outcome, Change) else None

    @property
    def summary(self) -> str:
        """The change in one line; '' where nothing is known to differ."""
        return self.outcome.summary if isinstance(self.outcome, Change) else ""


@dataclass(frozen=True)
class HostPlan:
    """Everything declared for one host, in order."""

    host: str
    items: tuple[Item, ...]
    seen: Mapping[str, str] = field(default_factory=dict, repr=False)  # resource -> what its outcome depends on
    drained: tuple[tuple[str, str], ...] = ()  # nodes that are drained on this edge, each with the run that did it
    orphans: tuple[Item, ...] = ()  # what --prune would do: remove what nothing declares
    managed: tuple[Managed, ...] = ()  # what this toolkit made, or found and changed, on the host

    @property
    def changes(self) -> tuple[Item, ...]:
        """What is known to differ."""
        return tuple(item for item in self.items if isinstance(item.outcome, Change))

    @property
    def after(self) -> tuple[Item, ...]:
        """What can't be known before something else happened."""
        return tuple(item for item in self.items if isinstance(item.outcome, Unknown))

    @property
    def as_declared(self) -> bool:
        """Whether there is nothing to do."""
        return not self.changes and not self.after and not self.drained

    def of_play(self, play: int) -> tuple[Item, ...]:
        """The items that one play brought."""
        return tuple(item for item in self.items if item.declaration.play == play)


def questions(declarations: Iterable[Declaration]) -> tuple[Question, ...]:
    """Everything that has to be known of a host, each question once."""
    asked = dict.fromkeys(q for d in declarations for q in d.resource.questions())
    return (PlatformQuestion(), ManagedQuestion(), *asked)


def check_platform(host: str, answers: Answers) -> None:
    """Raises FailedError on a host that this toolkit was not made for: before anything is compared."""
    platform: Platform = answers[PlatformQuestion()]
    least = SUPPORTED.get(platform.system)
    version = platform.version.split(".")[0]
    if platform.missing or least is None or (version.isdigit() and int(version) < least):
        lacking = f", without {', '.join(platform.missing)}" if platform.missing else ""
        raise UnsupportedError(
            "this system is not supported: nothing was changed",
            host=host,
            found=f"It runs {platform.name or platform.system or 'an unknown system'}{lacking}",
            do="Use Debian 12 or newer, or Ubuntu 22.04 or newer, or leave the host out with --limit",
        )


def compare(declarations: Sequence[Declaration], answers: Answers) -> tuple[Item, ...]:
    """The plan of one host. Raises FailedError, naming role and line, where no fix may touch what is there."""
    items: list[Item] = []
    changing: set[str] = set()
    for declaration in declarations:
        outcome = outcome_of(declaration, answers, changing)
        if isinstance(outcome, Unknown) or (isinstance(outcome, Change) and outcome.triggers_dependents):
            changing.add(declaration.resource.key)
        items.append(Item(declaration, outcome))
    return tuple(items)


def outcome_of(declaration: Declaration, answers: Answers, changing: set[str]) -> Outcome:
    """One resource compared. changing: keys of the resources that change in this run."""
    resource = declaration.resource
    changed_dependencies = [r.key for r in dependencies_of(resource) if r.key in changing]
    with errors_of(declaration):
        return resource.compare(answers, changed_dependencies) or AS_DECLARED


@contextmanager
def errors_of(declaration: Declaration) -> Iterator[None]:
    """An error of the block names role and line, and no secret; one in a resource's own code becomes a FailedError."""
    try:
        yield
    except FailedError as error:
        parts = declaration.redactor.cleaned_all(error.explanation.as_dict())
        raise error.but(**parts).at(role=declaration.role, line=declaration.line) from None
    except (ProvisionError, OSError):
        raise
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        raise FailedError(
            f"{declaration.resource.key}: the code of this resource raised an error",
            role=declaration.role,
            line=declaration.line,
            found=declaration.redactor.cleaned(f"{type(error).__name__}: {error}, at {place.filename}:{place.lineno}"),
            do="Correct the resource; if it is one of the toolkit's, please report it",
        ) from error


def seen(items: Iterable[Item], answers: Answers) -> dict[str, str]:
    """What a plan depends on: resource -> a digest of what was on the host and of what of it differs.

    To be made before diffs are added. What could not be known yet is left out: it may turn out either way. Whether
    programs run is no part of it: one that keeps crashing must not keep its fix from being deployed.
    """
    found = {}
    for item in items:
        if not isinstance(item.outcome, Unknown):
            diff = item.outcome.diff if isinstance(item.outcome, Change) else ""
            text = "\n".join([*(q.seen(answers[q]) for q in item.resource.questions()), diff])
            found[item.resource.key] = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return found


def decisive(items: Iterable[Item]) -> tuple[Item, ...]:
    """The items of which another answer would make a plan stale; the others need not be asked for that."""
    return tuple(
        item
        for item in items
        if not isinstance(item.outcome, Unknown)
        and (item.resource.diff_at_once or any(type(q).seen is not Question.seen for q in item.resource.questions()))
    )


def stale_keys(before: Mapping[str, str], now: Mapping[str, str]) -> tuple[str, ...]:
    """The resources that are not what a plan depends on any more."""
    return tuple(key for key, digest in before.items() if now.get(key) != digest)


def evidence(items: Iterable[Item]) -> tuple[Question, ...]:
    """What to ask once it is known what differs, so that the plan can show it."""
    return tuple(
        dict.fromkeys(q for i in items if isinstance(i.outcome, Change) for q in evidence_for(i.resource, i.outcome))
    )


def explained(items: Iterable[Item], answers: Answers) -> tuple[Item, ...]:
    """The items with their diffs, without secrets that a host may hold where nobody expects them."""
    return tuple(
        replace(i, outcome=change_shown(i.declaration, i.outcome, answers)) if isinstance(i.outcome, Change) else i
        for i in items
    )


def change_shown(declaration: Declaration, change: Change, answers: Answers) -> Change:
    """A change as a person may see it."""
    with errors_of(declaration):
        found = explain(declaration.resource, change, answers)
    redactor = declaration.redactor
    return replace(found, summary=redactor.cleaned(found.summary), diff=redactor.cleaned(found.diff))
