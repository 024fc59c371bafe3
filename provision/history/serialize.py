"""Resources as plain data and back: what a journal writes down of each, so that it can be undone years later.

Contents are left out: what a host has to remember of them it adds itself (Resource.former), and secrets never travel.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provision import resources
from provision.facts.question import Answers, Question
from provision.remote.protocol import Step
from provision.resources.base import Change, Pending, Resource, Template, Unknown
from provision.resources.configset.activation import Activation
from provision.resources.configset.marks import marked_hosts

Find = Callable[[str], Resource | None]


@dataclass(frozen=True, kw_only=True)
class Known(Resource):
    """Another resource of which only name and digest are known: something depends on it, and it does not change."""

    name: str
    known: str

    @property
    def key(self) -> str:
        return self.name

    @property
    def digest(self) -> str:
        return self.known

    def questions(self) -> tuple[Question, ...]:
        return ()

    def compare(self, answers: Answers, changed_dependencies: Any) -> Change | Unknown | None:
        return None

    def fix(self, change: Change) -> Step:
        return Step("true")


def remember(resource: Resource) -> dict[str, Any]:
    """A rendered resource without contents: {"kind", "fields"}. A role's own kind is kept as what it is made from."""
    kind = next(c for c in type(resource).__mro__ if c.__module__.startswith("provision."))
    fields = {f.name: _plain(getattr(resource.without_contents, f.name)) for f in dataclasses.fields(kind)}
    return {"kind": kind.__name__, "fields": fields}


def revive(data: Mapping[str, Any], find: Find) -> Resource:
    """The resource that was remembered. find: another resource by its key as it is now, None when it is not known.

    Raises ValueError for data that is none of ours.
    """
    kind = _KINDS.get(str(data.get("kind")))
    if kind is None or not isinstance(data.get("fields"), Mapping):
        raise ValueError(f"there is no resource of the kind {data.get('kind')!r}")
    try:
        fields = {name: _value(value, find) for name, value in data["fields"].items()}
        made: Resource = kind(**fields)
    except (TypeError, KeyError) as error:
        raise ValueError(f"the {data['kind']} that was remembered is of another version: {error}") from None
    return made


_KINDS: dict[str, Any] = {"Known": Known} | {  # what was undone once names resources that are only known
    name: kind
    for name in resources.__all__
    if isinstance(kind := getattr(resources, name), type) and issubclass(kind, (Resource, Activation))
}


def _plain(value: Any) -> Any:
    if isinstance(value, Resource):
        if not value.paths:  # it may be needed whole: what it is does not stand in a file
            return {"resource": value.key, "digest": value.digest, "as": remember(value)}
        return {"resource": value.key, "digest": value.digest}
    if isinstance(value, bytes):
        # of contents only the lines with drain marks, so that a rollback can put the marks back
        marked = [line for line in value.split(b"\n") if marked_hosts(line)]
        return {"bytes": b"\n".join(marked).decode("utf-8", "replace")}
    if isinstance(value, (Path, Template, Pending)):
        return {"bytes": ""}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            "kind": type(value).__name__,
            "fields": {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)},
        }
    if isinstance(value, Mapping):
        return {"mapping": [[_plain(key), _plain(each)] for key, each in value.items()]}
    if isinstance(value, (tuple, list, frozenset)):
        return [_plain(each) for each in value]
    return value


def _value(value: Any, find: Find) -> Any:
    if isinstance(value, list):
        return tuple(_value(each, find) for each in value)
    if not isinstance(value, Mapping):
        return value
    if "resource" in value:
        found = find(value["resource"])
        if found is None and "as" in value:
            return revive(value["as"], find)
        return found or Known(name=value["resource"], known=value["digest"])
    if "bytes" in value:
        return value["bytes"].encode()
    if "mapping" in value:
        return {_value(key, find): _value(each, find) for key, each in value["mapping"]}
    return revive(value, find)
