"""What a run did to a host, written on that host, before and after each change: /var/lib/provision/journal/RUN.jsonl.

A run's file has one line about the run, then for each change a line before it (who changes what, and what was there
before) and one after it (how it ended). The first is written in the same step as the change: no change is made without
it, no further exec is needed, and a run that was cut has recorded what it was about to do. Files are 0600, hold no
secret, and are bounded in number, age and size. Beside them is the index of what this toolkit made on the host:
/var/lib/provision/made.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from provision.facts.managed import ADOPTED, GONE, INDEX, MADE
from provision.facts.question import STATE_DIRECTORY, Question
from provision.history.serialize import remember
from provision.plan.plan import Item
from provision.remote.lock import Holder
from provision.remote.protocol import Step
from provision.remote.shell import Scripts, function, quote
from provision.resources.base import Action, Change, Resource
from provision.resources.optional.removable import parts_of, removal_of
from provision.resources.optional.reversible import SNAPSHOT_LIMIT, Reversible
from provision.resources.optional.sensitive import contents_of
from provision.secret import Redactor

JOURNAL = f"{STATE_DIRECTORY}/journal"
KEPT_RUNS = 40
KEPT_DAYS = 180
KEPT_BYTES = 32 << 20
SCRIPTS = Scripts(__file__)


@dataclass(frozen=True)
class About:
    """What a run was for. commit: of the inventory, as git names it; undoes: the run that it rolls back."""

    command: str = "deploy"
    commit: str = ""
    undoes: str = ""


class Journal:
    """What one run writes down on one host. made: the host's index, resource -> flag."""

    def __init__(self, holder: Holder, about: About, made: Mapping[str, str]) -> None:
        self._holder = holder
        self._about = about
        self._made = made
        self._file = f"{JOURNAL}/{holder.run}.jsonl"
        self._count = 0
        self._undoes = False
        self._begun = False
        self._written: set[str] = set()  # resources of this run, which the index may know by now

    @property
    def run(self) -> str:
        """The run that writes."""
        return self._holder.run

    @property
    def count(self) -> int:
        """How many changes were written down so far."""
        return self._count

    def for_revert(self, made: Mapping[str, str]) -> Journal:
        """The same journal, for what reverts changes of this run. made: the host's index as it is now."""
        other = Journal(self._holder, self._about, made)
        other._count, other._undoes, other._begun = self._count, True, self._begun
        return other

    def resumed(self, made: Mapping[str, str]) -> Journal:
        """The same journal, once nobody knows whether the host has got what was last sent."""
        other = self.for_revert(made)
        other._undoes, other._begun = self._undoes, False
        return other

    def around(self, step: Step, item: Item, variables: Sequence[str] = ()) -> Step:
        """The step that writes down what stands there, does what `step` does, and writes down how that ended.

        variables: those that the change depends on, each with the place where it is set.
        """
        self._count += 1
        resource, change, redactor = item.resource, item.outcome, item.declaration.redactor
        assert isinstance(change, Change)
        line = {
            "n": self._count,
            "key": resource.key,
            "role": item.declaration.role,
            "line": item.declaration.line,
            "action": change.action,
            "summary": change.summary[:500],
            "paths": list(resource.paths),
            "variables": list(variables),
            "resource": remember(resource),
            "secret": any(redactor.finds(content) for content in contents_of(resource)),
            **({"undoes": True} if self._undoes else {}),
        }
        key = self._known_as(item)
        snapshot = _snapshot(resource, change, bool(line["secret"]))
        parts = (
            function("snapshot", snapshot or ":"),
            function("fix", step.script),
            SCRIPTS.call("journal", FILE=self._file, INDEX=INDEX),
            "" if self._begun else self._begin(),
            SCRIPTS.call(
                "change",
                LINE=_line(_cleaned(line, redactor))[:-1] + ",",
                NUMBER=str(self._count),
                LIMIT=str(SNAPSHOT_LIMIT + 1024) if snapshot else "",
                OF=resource.snapshot_of if isinstance(resource, Reversible) else "",
                KEY=key if key in self._made or key in self._written else "",
                MADE=self._index(item, change),
            ),
        )
        self._begun = True
        self._written.add(key)
        return replace(step, script="".join(parts))

    def _begin(self) -> str:
        """sh that writes the journal's head; what a lost connection left of this run stays."""
        about = {
            "run": self._holder.run,
            "who": self._holder.who,
            "began": self._holder.began.isoformat(timespec="seconds"),
            "command": self._about.command,
            "commit": self._about.commit,
            "undoes": self._about.undoes,
        }
        bounds = {"DAYS": str(KEPT_DAYS), "RUNS": str(KEPT_RUNS), "BYTES": str(KEPT_BYTES)}
        begin = SCRIPTS.call("begin", FOLDER=JOURNAL, HEAD=_line(about), **bounds)
        return begin if self._count == 1 else f'[ -s "$FILE" ] || {{\n{begin}}}\n'

    def _index(self, item: Item, change: Change) -> str:
        """What the index says of this resource and its parts from now on, a line each; '' when it says nothing."""
        key = self._known_as(item)
        if change.action is Action.REMOVE and key not in self._made:
            return ""
        new = MADE if change.action is Action.CREATE and removal_of(item.resource) else ADOPTED
        flag = GONE if change.action is Action.REMOVE else self._made.get(key, new)
        named = {key: item.resource, **{part.key: part for part in parts_of(item.resource)}}
        return "\n".join(self._line_of_index(key, flag, item, resource) for key, resource in named.items())

    def _line_of_index(self, key: str, flag: str, item: Item, resource: Resource) -> str:
        data = "" if flag == GONE else json.dumps(_cleaned(remember(resource), item.declaration.redactor))
        return "\t".join((key, flag, item.declaration.role, self._holder.run, data))

    @staticmethod
    def _known_as(item: Item) -> str:
        return item.declaration.made_as or item.resource.key

    def end(self) -> Step:
        """The step that writes down that the run came to its end on this host."""
        return Step(f"umask 077; echo '{{\"ended\":true}}' >>{quote(self._file)}", timeout=20)


def _snapshot(resource: Resource, change: Change, secret: bool) -> str:
    """sh that prints what the change's rollback needs; '' for nothing, as for what holds a secret."""
    return resource.snapshot_script(change) if isinstance(resource, Reversible) and not secret else ""


def _cleaned(value: Any, redactor: Redactor) -> Any:
    """Plain data without the secrets that its role has seen."""
    if isinstance(value, str):
        return redactor.cleaned(value)
    if isinstance(value, dict):
        return {key: _cleaned(each, redactor) for key, each in value.items()}
    return [_cleaned(each, redactor) for each in value] if isinstance(value, list) else value


def _line(data: Mapping[str, Any]) -> str:
    return json.dumps(data, separators=(",", ":"))


@dataclass(frozen=True)
class Entry:
    """One change, as it was written down. resource: as it was declared; before: as it had been declared before.

    code: how its step ended, None when it was cut. undoes: it reverted a change of the same run.
    """

    number: int
    key: str
    role: str
    line: str
    action: Action
    summary: str
    paths: tuple[str, ...]
    variables: tuple[str, ...]
    resource: Mapping[str, Any]
    before: Mapping[str, Any] | None
    snapshot: bytes
    secret: bool
    code: int | None = None
    undoes: bool = False


@dataclass(frozen=True)
class Written:
    """One run as a host has recorded it."""

    run: str
    who: str
    began: str
    about: About
    entries: tuple[Entry, ...]
    ended: bool  # False: it failed, was stopped or cut


def read(text: str) -> Written | None:
    """A journal file. Lines that were cut, or that another version wrote, are left out; None when nothing is left."""
    lines = [found for found in map(_parsed, text.splitlines()) if found]
    if not lines or "run" not in lines[0]:
        return None
    head, *rest = lines
    codes = {line.get("n"): line["code"] for line in rest if "code" in line}
    entries = tuple(filter(None, (_entry(line, codes.get(line.get("n"))) for line in rest if "key" in line)))
    fields = {name: str(head.get(name, "")) for name in ("run", "who", "began", "command", "commit", "undoes")}
    about = About(fields["command"], fields["commit"], fields["undoes"])
    return Written(fields["run"], fields["who"], fields["began"], about, entries, any("ended" in line for line in rest))


def _entry(line: Mapping[str, Any], code: int | None) -> Entry | None:
    try:
        return Entry(
            number=line["n"],
            key=line["key"],
            role=line["role"],
            line=line["line"],
            action=Action(line["action"]),
            summary=line["summary"],
            paths=tuple(line["paths"]),
            variables=tuple(line["variables"]),
            resource=line["resource"],
            before=line.get("before"),
            snapshot=base64.b64decode(line["former"]),
            secret=line["secret"],
            code=code,
            undoes=bool(line.get("undoes")),
        )
    except (KeyError, TypeError, ValueError):
        return None


def _parsed(line: str) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


@dataclass(frozen=True)
class JournalQuestion(Question):
    """The runs recorded on a host, the oldest first. `run`: only this one; earlier contents only with `contents`."""

    run: str = "*"
    contents: bool = False

    @classmethod
    def script(cls, questions: Sequence[Self]) -> str:
        return "\n".join(
            f"(\n{SCRIPTS.call('runs', FOLDER=JOURNAL, RUN=q.run, WHOLE='yes' if q.contents else '')})"
            for q in questions
        )

    @classmethod
    def read(cls, questions: Sequence[Self], output: str, code: int) -> Mapping[Self, tuple[Written, ...]]:
        import gzip

        found = {}
        for question, line in zip(questions, output.splitlines(), strict=True):
            text = gzip.decompress(base64.b64decode(line)).decode("utf-8", "replace")
            found[question] = tuple(written for part in text.split("\n\n") if (written := read(part)))
        return found
