"""site.yml: which roles, on which hosts, in which order, rolling or not."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provision.errors import InputError
from provision.inventory import patterns
from provision.inventory.yamlfile import Document, read
from provision.playbook.serial import Share
from provision.search_path import SearchPath
from provision.spelling import suggestion

_KEYS = ("name", "hosts", "roles", "tags", "serial", "drain", "gate", "soak", "max_fail", "confirm")
_ROLE_KEYS = ("role", "tags", "once")
_IN_ROLES = "A role yields resources: write it in roles/NAME.py."
_IN_INVENTORY = "It belongs into the inventory: group_vars/, host_vars/ or hosts.yml."
_ELSEWHERE = {
    "tasks": _IN_ROLES,
    "pre_tasks": "An earlier play with a role of its own goes before this one.",
    "post_tasks": "A later play with a role of its own comes after this one.",
    "block": _IN_ROLES,
    "handlers": "A resource names what it activates: ConfigSet(..., activate=...), in roles/NAME.py.",
    "when": "A role decides in Python (roles/NAME.py), or a group in the inventory says which hosts it means.",
    "vars": _IN_INVENTORY,
    "vars_files": _IN_INVENTORY,
    "vars_prompt": "Pass the value with --extra-vars k=v or --extra-vars @FILE.",
    "environment": _IN_ROLES,
    "become": "Write ansible_become: true into the inventory.",
    "become_user": "Write ansible_become_user into the inventory.",
    "become_method": "sudo is the only method, and needs no word.",
    "remote_user": "Write ansible_user into the inventory, or use --user.",
    "user": "Write ansible_user into the inventory, or use --user.",
    "connection": "Hosts are reached by ssh only.",
    "port": "Write ansible_port into the inventory.",
    "import_playbook": "Write its plays here: one site.yml holds them all.",
    "gather_facts": "There are no facts to gather; a role asks for what it needs.",
    "strategy": "Hosts go at once; `serial` says how many.",
    "max_fail_percentage": "Write max_fail: 30% beside serial: so many hosts of a batch may fail.",
    "any_errors_fatal": "Write serial: N; it stops after the first N hosts of which one fails.",
    "ignore_errors": "A failure is always an error; where a play has no serial the other hosts go on.",
    "collections": "There are no collections; roles are files in roles/.",
}
NONE = Share(0)
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h|)")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True)
class RoleUse:
    """A role in a play. once: on the play's first host only. line: `file:line`."""

    name: str
    tags: tuple[str, ...] = ()
    once: bool = False
    line: str = ""


@dataclass(frozen=True)
class Play:
    """Roles for the hosts that a pattern means.

    serial: hosts at a time, batch by batch; () for all at once. drain: the role whose hosts send traffic here and
    are told not to while a host changes; they are the group of that name, or without one all hosts that have the role.
    gate: further roles whose checks a host has to pass, beside the play's own, before it takes requests again.
    soak: seconds to wait after it.
    max_fail: requests that may fail while a play with `drain` is rolled; one more, and it stops and goes back.
    hosts_may_fail: hosts of a batch that may fail where nothing is drained; one more, and the play stops.
    confirm: seconds within which each ConfigSet of the play has to be kept, or its host goes back by itself; 0: none.
    line: `file:line`.
    """

    name: str
    hosts: str
    roles: tuple[RoleUse, ...]
    tags: tuple[str, ...] = ()
    serial: tuple[Share, ...] = ()
    drain: str | None = None
    gate: tuple[str, ...] = ()
    soak: float = 0.0
    max_fail: int = 1
    hosts_may_fail: Share = NONE
    confirm: float = 0.0
    line: str = ""


def load(path: Path) -> tuple[Play, ...]:
    """The plays in the order written. Raises InputError, naming file and line, for all that is not one."""
    document = read(path, _shown(path))
    plays = document.data
    if not isinstance(plays, list) or not plays:
        raise InputError(
            "there are no plays in it", line=document.line(), do="Begin each with '- name: ...', then hosts and roles."
        )
    return tuple(_play(_Node(document, (place,)), body) for place, body in enumerate(plays))


@dataclass(frozen=True)
class _Node:
    """A place in the document, and the errors that can be raised there."""

    document: Document
    path: tuple[Any, ...]

    def at(self, key: Any) -> _Node:
        return _Node(self.document, (*self.path, key))

    @property
    def line(self) -> str:
        return self.document.nearest_line(self.path)

    def error(self, what: str, do: str = "", found: str = "") -> InputError:
        return InputError(what, line=self.line, found=found, do=do)


def _play(node: _Node, body: Any) -> Play:
    if not isinstance(body, Mapping):
        raise node.error("a play holds name, hosts and roles", found=f"{body!r} was written")
    for key in body:
        _check_key(node.at(key), str(key), _KEYS, "play")
    for key in ("hosts", "roles"):
        if not body.get(key):
            raise node.error(f"the play has no {key}", do=f"Add '{key}:'.")
    hosts = ",".join(_words(node.at("hosts"), body["hosts"]))
    _check_pattern(node.at("hosts"), hosts)
    return Play(
        name=str(body.get("name") or hosts),
        hosts=hosts,
        roles=_roles(node.at("roles"), body["roles"]),
        tags=_words(node.at("tags"), body.get("tags")),
        serial=_serial(node.at("serial"), body.get("serial")),
        drain=_name(node.at("drain"), body.get("drain")),
        gate=_words(node.at("gate"), body.get("gate")),
        soak=_seconds(node.at("soak"), body.get("soak")),
        max_fail=_max_fail(node, body),
        hosts_may_fail=_hosts_may_fail(node.at("max_fail"), body),
        confirm=_seconds(node.at("confirm"), body.get("confirm")),
        line=node.line,
    )


def _roles(node: _Node, body: Any) -> tuple[RoleUse, ...]:
    if not isinstance(body, list):
        raise node.error("roles are a list", do="Write '- NAME' or '- {role: NAME, tags: [...], once: true}'.")
    roles = tuple(_role(node.at(place), item) for place, item in enumerate(body))
    names = [role.name for role in roles]
    for place, name in enumerate(names):
        if name in names[:place]:
            raise node.at(place).error(f"the role {name} is in the list twice", do="Write it once.")
    return roles


def _role(node: _Node, body: Any) -> RoleUse:
    if isinstance(body, str):
        return RoleUse(body, line=node.line)
    if not isinstance(body, Mapping):
        raise node.error("a role is a name, or {role: NAME, tags: [...], once: true}", found=f"{body!r} was written")
    for key in body:
        _check_key(node.at(key), str(key), _ROLE_KEYS, "role")
    name = body.get("role")
    if not isinstance(name, str):
        raise node.error("the role has no name", do="Add 'role: NAME'.")
    once = body.get("once", False)
    if not isinstance(once, bool):
        raise node.at("once").error("once is true or false", found=f"{once!r} was written")
    return RoleUse(name, _words(node.at("tags"), body.get("tags")), once, node.line)


def _check_key(node: _Node, key: str, known: Sequence[str], kind: str) -> None:
    if key in known:
        return
    if key in _ELSEWHERE:
        raise node.error(f"'{key}' is not supported in a {kind}", do=_ELSEWHERE[key])
    raise node.error(f"a {kind} has no '{key}'", do=suggestion(key, known) or f"It may have {', '.join(known)}.")


def _check_pattern(node: _Node, pattern: str) -> None:
    try:
        patterns.split(pattern)
    except InputError as error:
        parts = error.explanation
        raise node.error(parts.what, parts.do, parts.found) from None


def _words(node: _Node, value: Any) -> tuple[str, ...]:
    """A word, words with commas, or a list of words."""
    if value is None:
        return ()
    items = value.split(",") if isinstance(value, str) else value
    if not isinstance(items, list) or not all(isinstance(item, str) and item.strip() for item in items):
        raise node.error(f"'{node.path[-1]}' is a word or a list of words", found=f"{value!r} was written")
    return tuple(item.strip() for item in items)


def _name(node: _Node, value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value or None
    raise node.error(f"'{node.path[-1]}' is a group's name", found=f"{value!r} was written")


def _serial(node: _Node, value: Any) -> tuple[Share, ...]:
    if value is None:
        return ()
    written = value if isinstance(value, list) else [value]
    shares = [share for each in written if (share := Share.read(each)) and share.number]
    if not shares or len(shares) < len(written):
        raise node.error(
            "'serial' is a number of hosts, a percentage, or a list of them",
            found=f"{value!r} was written",
            do="Write 1, 25%, or [1, 10, 25%].",
        )
    return tuple(shares)


def _max_fail(node: _Node, body: Mapping[str, Any]) -> int:
    value = body.get("max_fail")
    if value is None or not body.get("drain"):
        return Play.max_fail
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise node.at("max_fail").error(
            "'max_fail' counts requests where a play has 'drain': a whole number, at least 0",
            found=f"{value!r} was written",
        )
    return value


def _hosts_may_fail(node: _Node, body: Mapping[str, Any]) -> Share:
    value = body.get("max_fail")
    if value is None or body.get("drain"):
        return Play.hosts_may_fail
    if not body.get("serial"):
        raise node.error(
            "'max_fail' has no effect in a play without 'serial' and 'drain': its hosts change all at once",
            do="Add 'serial', or leave it out.",
        )
    if share := Share.read(value):
        return share
    raise node.error(
        "'max_fail' is a number of hosts, or a percentage of those of a batch",
        found=f"{value!r} was written",
        do="Write 1, or 10%.",
    )


def _seconds(node: _Node, value: Any) -> float:
    if value is None:
        return 0.0
    match = None if isinstance(value, bool) else _DURATION.fullmatch(str(value).strip())
    if match is None:
        raise node.error(
            f"'{node.path[-1]}' is a time", found=f"{value!r} was written", do="Write 15s, 2m or a number."
        )
    return float(match[1]) * _SECONDS[match[2]]


def _shown(path: Path) -> str:
    return path.name if path.is_absolute() else str(path)


def role_names(folders: SearchPath) -> tuple[str, ...]:
    """Every role that a play can name, by file name."""
    return tuple(f.stem for f in folders.files("roles", "*.py") if not f.stem.startswith("_"))
