"""Orphans: what this toolkit made on a host and no role declares any more.

Every plan lists them; only --prune removes them. What was there before the toolkit is never removed, nor a package, nor
a path or object that something else declares by now.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

from provision.facts.managed import GONE, INDEX, MADE, Managed
from provision.facts.question import Question
from provision.history.serialize import revive
from provision.plan.plan import Declaration
from provision.resources import Manifests, Symlink
from provision.resources.base import Rendering, Resource
from provision.resources.kubernetes import diff
from provision.resources.optional.removable import PART, parts_of, removal_of

LINE = "no longer declared"


def orphans(made: Iterable[Managed], declared: Iterable[Declaration]) -> tuple[Managed, ...]:
    """The lines of a host's index that nothing declares, the youngest first: what was made last goes first.

    What belongs to the version before (see Symlink) is left out.
    """
    declared = tuple(declared)
    keys = {key for d in declared for key in (d.resource.key, *(part.key for part in parts_of(d.resource)))}
    left = [line for line in made if line.flag == MADE and line.key not in keys]
    wholes = {line.key for line in left}  # they go with their parts
    gone = tuple(reversed([line for line in left if line.key == _whole(line) or _whole(line) not in wholes]))
    links = [d.resource for d in declared if isinstance(d.resource, Symlink) and d.resource.versions]
    kept = tuple(folder for link in links for folder in (link.path, _previous(link, gone)) if folder)
    return tuple(line for line in gone if not any(_below(folder, line) for folder in kept))


def _previous(link: Symlink, gone: Iterable[Managed]) -> str:
    """The version's folder in which something undeclared was made last; '' when there is none."""
    folders = (_path(line).removeprefix(link.versions) for line in gone if _path(line).startswith(link.versions))
    return next((link.versions + rest.partition("/")[0] for rest in folders), "")


def _whole(line: Managed) -> str:
    """The key of what it is a part of, or its own."""
    return line.key.partition(PART)[0]


def _below(folder: str, line: Managed) -> bool:
    return _path(line) == folder or _path(line).startswith(f"{folder}/")


def _path(line: Managed) -> str:
    return line.key.partition(" ")[2]


@dataclass(frozen=True)
class RemovalsQuestion(Question):
    """What removes each resource of the host's index: key -> the recorded resource."""

    @classmethod
    def script(cls, questions: Sequence[Self]) -> str:
        return f"cut -f 1,2,5 {INDEX} 2>/dev/null; true"

    @classmethod
    def read(cls, questions: Sequence[Self], output: str, code: int) -> Mapping[Self, Mapping[str, str]]:
        rows = (line.split("\t", 2) for line in output.splitlines() if line.count("\t") >= 2)
        found = {key: data for key, flag, data in rows if flag != GONE}
        return dict.fromkeys(questions, found)


def removals(
    gone: Iterable[Managed],
    recorded: Mapping[str, str],
    declared: Sequence[Declaration],
    declared_anywhere: Callable[[], Sequence[Declaration]],
    play: int,
) -> tuple[Declaration, ...]:
    """What removes the orphans of a host.

    recorded: what the host's index holds of each. declared: for this host; declared_anywhere: for any host.
    play: the number of the play that removes them.
    """
    paths = {path for d in declared for path in d.resource.paths}
    found = []
    for line in gone:
        resource = _revived(recorded.get(line.key, ""))
        if isinstance(resource, Manifests):  # only one host applies a set, and another may be it by now
            sets = [d.resource for d in declared_anywhere() if isinstance(d.resource, Manifests)]
            resource = _without(resource, sets)
        if resource and not paths.intersection(resource.paths):
            found.append(Declaration(resource, line.role, LINE, play, made_as=line.key))
    return tuple(found)


def _revived(data: str) -> Resource | None:
    try:
        return removal_of(revive(json.loads(data), lambda key: None))
    except ValueError:  # of another version: it is left where it is
        return None


def _without(resource: Manifests, declared: Iterable[Manifests]) -> Manifests | None:
    """The set without objects that are declared now, in whatever set and for whichever host."""
    objects = {diff.place(item) for each in declared if not each.absent for item in each.objects}
    rest = tuple(item for item in resource.objects if diff.place(item) not in objects)
    if not rest:
        return None
    content = "\n---\n".join(json.dumps(item) for item in rest)
    return replace(resource, content=content).rendered(Rendering(lambda template: ""))
