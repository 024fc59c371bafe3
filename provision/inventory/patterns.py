"""Ansible's host patterns: `nodes:!hdss7-22`, `masters:&etcd`, `hdss7-2*`, `nodes[0:1]`, `~hdss7-(11|21)`."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping, Sequence

from provision.errors import InputError
from provision.inventory.ranges import expand
from provision.spelling import listed, suggestion

_SUBSCRIPT = re.compile(r"^(?P<base>.+)\[(?:(?P<one>-?\d+)|(?P<first>\d*)[:-](?P<last>\d*))\]$")
_PLAIN = re.compile(r"[A-Za-z_][\w-]*$")
_WILD = frozenset("*?[")


def members(pattern: str, hosts: Sequence[str], groups: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """As `select`, for the `hosts` of a play: a group that this inventory does not have is empty.

    One set of plays serves many sites, and not each has a host of every kind. A word that is near a name of the
    inventory is still an InputError: it was misspelt.
    """
    words = {part.lstrip("!&") for part in split(pattern)}
    missing = {
        word: ()
        for word in words
        if _PLAIN.match(word) and word not in groups and word not in hosts and not suggestion(word, [*groups, *hosts])
    }
    return select(pattern, hosts, {**groups, **missing})


def select(pattern: str, hosts: Sequence[str], groups: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The names of the hosts that `pattern` means, each once, in the order in which the pattern names them.

    As in Ansible: parts are joined by ':' or ','; '!' takes away and '&' keeps only, both after all other
    parts; with nothing but those, they work on all hosts. A part is a group, a host, a wildcard, a
    `~regular expression`, each with an optional subscript ([0], [-1], [0:1]: both ends included).
    Unlike in Ansible an empty pattern, and a part that matches nothing, is an InputError.
    """
    parts = split(pattern)
    chosen = [part for part in parts if part[0] not in "!&"] or ["all"]
    kept = [name for part in chosen for name in _match(part, pattern, hosts, groups)]
    for part in sorted((part for part in parts if part[0] in "!&"), key=lambda part: part[0] == "!"):
        matched = frozenset(_match(part[1:], pattern, hosts, groups))
        kept = [name for name in kept if (name in matched) == (part[0] == "&")]
    return tuple(dict.fromkeys(kept))


def split(pattern: str) -> tuple[str, ...]:
    """The parts of a pattern. Raises InputError when there is none, or when one of them is empty."""
    if pattern.strip().startswith("@"):
        raise InputError(f"'{pattern}': files of hosts are not supported", do="Name the hosts: hdss7-21,hdss7-22.")
    parts = [piece.strip() for part in pattern.split(",") for piece in _pieces(part.strip())]
    if not all(part.lstrip("!&") for part in parts):
        found = "the pattern is empty" if not pattern.strip() else f"a part of '{pattern}' is empty"
        raise InputError(found, do="Name a host or a group; 'all' means every host.")
    return tuple(parts)


def _pieces(part: str) -> list[str]:
    """Split at ':' outside brackets, round ones included: `~hdss7-(?:11|21)` is one part."""
    pieces, depth, start = [], 0, 0
    for place, letter in enumerate(part):
        depth += (letter in "[(") - (letter in ")]")
        if letter == ":" and depth <= 0:
            pieces.append(part[start:place])
            start = place + 1
    return [*pieces, part[start:]]


def _match(part: str, pattern: str, hosts: Sequence[str], groups: Mapping[str, Sequence[str]]) -> Sequence[str]:
    if part in groups:
        return groups[part]
    if part in hosts:
        return (part,)
    subscript = None if part.startswith("~") else _SUBSCRIPT.match(part)
    if subscript:
        found = _named(subscript["base"], hosts, groups)
        if found is not None:
            return _cut(part, subscript, found)
        names = expand(part) if subscript["last"] else ()
        if names and all(name in hosts for name in names):
            return names
    else:
        found = _named(part, hosts, groups)
        if found:
            return found
    raise InputError(
        f"no host or group matches '{part}'",
        found=f"The pattern was '{pattern}'" if part != pattern else "",
        do=suggestion(part, [*groups, *hosts])
        or f"Groups: {listed(groups)}. Hosts: {listed(hosts)}. `invoke hosts` shows them.",
    )


def _named(part: str, hosts: Sequence[str], groups: Mapping[str, Sequence[str]]) -> Sequence[str] | None:
    """The hosts of one part without subscript; None when nothing has that name."""
    if part in groups:
        return groups[part]
    if part in hosts:
        return (part,)
    if not part.startswith("~") and not _WILD & set(part):
        return None
    matcher = _matcher(part)
    inside = [host for name, members in groups.items() if matcher.match(name) for host in members]
    return tuple(dict.fromkeys([*inside, *(host for host in hosts if matcher.match(host))])) or None


def _matcher(part: str) -> re.Pattern[str]:
    try:
        return re.compile(part[1:] if part.startswith("~") else fnmatch.translate(part))
    except re.error as error:
        raise InputError(f"the regular expression '{part}' can't be read", found=str(error)) from None


def _cut(part: str, subscript: re.Match[str], found: Sequence[str]) -> Sequence[str]:
    if subscript["one"]:
        number = int(subscript["one"])
        chosen = found[number : number + 1 or None]
    else:
        last = int(subscript["last"]) + 1 if subscript["last"] else None
        chosen = found[int(subscript["first"] or 0) : last]
    if not chosen:
        raise InputError(
            f"'{part}' asks for more than there is",
            found=f"{subscript['base']} has {len(found)} in all, counted from 0",
        )
    return chosen
