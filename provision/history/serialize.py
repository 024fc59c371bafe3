"""Resources as plain data and back: what a journal records of each, so that it can be undone years later.

Contents are left out: the host adds what it has to record of them (Reversible.snapshot_script), and secrets never
travel. Hosts keep journals of older versions for ever, so no name of a class or field may change without an alias here.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provision import resources
from provision.facts.question import Answers, Question
from provision.remote.protocol import Step
from provision.resources.base import Change, Resource, Unknown
from provision.resources.configset.activation import Activation
from provision.resources.configset.marks import marked_hosts
from provision.resources.content import Pending, Template
from provision.resources.optional.sensitive import Sensitive

Find = Callable[[str], Resource | None]

# Every name that a class or a field was ever recorded under, and its present one. Entries are only ever added.
KIND_ALIASES = {"Known": "Unchanged"}
FIELD_ALIASES = {
    ("Command", "rerun"): "on_change",
    ("Program", "restart"): "restart_on",
    ("Service", "restart"): "restart_on",
    ("Sysctl", "kept"): "persistent",
    ("Unchanged", "known"): "fingerprint",
}


@dataclass(frozen=True, kw_only=True)
class Unchanged(Resource):
    """Another resource of which only key and digest are known: something depends on it, and it does not change."""

    name: str
    fingerprint: str

    @property
    def key(self) -> str:
        return self.name

    @property
    def digest(self) -> str:
        return self.fingerprint

    def questions(self) -> tuple[Question, ...]:
        return ()

    def compare(self, answers: Answers, changed_dependencies: Any) -> Change | Unknown | None:
        return None

    def fix(self, change: Change) -> Step:
        return Step("true")


class MissingKindError(ValueError):
    """There is no class of the recorded name any more."""


def remember(resource: Resource) -> dict[str, Any]:
    """A rendered resource without contents: {"kind", "fields"}.

    A subclass that a role makes of one of the toolkit's kinds is recorded as that kind; a project's own kind by its
    module in the roles folder.
    """
    own = type(resource)
    kind = next((c for c in own.__mro__ if _KINDS.get(c.__name__) is c), own)
    bare = resource.without_contents if isinstance(resource, Sensitive) else resource
    return {
        "kind": _name(kind),
        "fields": {f.name: _plain(getattr(bare, f.name)) for f in dataclasses.fields(kind)},
    }


def _name(kind: type) -> str:
    """How a kind is recorded: by its name alone where roles import it by that, else with its module."""
    return kind.__name__ if _KINDS.get(kind.__name__) is kind else f"{kind.__module__}.{kind.__name__}"


def revive(data: Mapping[str, Any], find: Find) -> Resource:
    """The resource that was recorded. find: another resource by its key as it is now, None when it is not known.

    Raises MissingKindError for a kind that is gone, ValueError for data that this version cannot read.
    """
    recorded = data.get("kind")
    if not isinstance(recorded, str) or not isinstance(data.get("fields"), Mapping):
        raise ValueError(f"there is no resource of the kind {recorded!r}")
    name = KIND_ALIASES.get(recorded, recorded)
    kind = _KINDS.get(name) or _kind_of_a_module(name)
    try:
        fields = {FIELD_ALIASES.get((name, f), f): _value(value, find) for f, value in data["fields"].items()}
        made: Resource = kind(**fields)
    except (TypeError, KeyError) as error:
        raise ValueError(f"the recorded {recorded} is of another version: {error}") from None
    return made


def _kind_of_a_module(name: str) -> Any:
    """A project's own kind, or one that the toolkit's roles alone declare: a dataclass of a folder of resources and
    nothing else, because the name comes from a host."""
    module, _, kind = name.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), kind) if _MODULE.fullmatch(module) else None
    except (ImportError, AttributeError):
        found = None
    if not (isinstance(found, type) and dataclasses.is_dataclass(found)):
        raise MissingKindError(f"cannot be undone: there is no resource of the kind {name} any more")
    return found


_MODULE = re.compile(r"roles\.\w+|provision\.resources(?:\.\w+)+")
_KINDS: dict[str, Any] = {"Unchanged": Unchanged} | {  # a rollback that is rolled back names what it only knew
    name: kind
    for name in resources.__all__
    if isinstance(kind := getattr(resources, name), type)
    and issubclass(kind, (Resource, Activation))
    and not inspect.isabstract(kind)
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
            "kind": _name(type(value)),
            "fields": {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)},
        }
    if isinstance(value, Mapping):
        return {"mapping": [[_plain(key), _plain(each)] for key, each in value.items()]}
    if isinstance(value, (tuple, list, frozenset)):
        return [_plain(each) for each in value]
    return value if value is None or isinstance(value, (str, int, float)) else repr(value)


def _value(value: Any, find: Find) -> Any:
    if isinstance(value, list):
        return tuple(_value(each, find) for each in value)
    if not isinstance(value, Mapping):
        return value
    if "resource" in value:
        return find(value["resource"]) or _referred(value, find)
    if "bytes" in value:
        return value["bytes"].encode()
    if "mapping" in value:
        return {_value(key, find): _value(each, find) for key, each in value["mapping"]}
    return revive(value, find)


def _referred(value: Mapping[str, Any], find: Find) -> Resource:
    """A resource that another one names and that is not at hand: whole where that was recorded, else by its digest."""
    if "as" in value:
        try:
            return revive(value["as"], find)
        except MissingKindError:
            pass
    return Unchanged(name=value["resource"], fingerprint=value["digest"])
