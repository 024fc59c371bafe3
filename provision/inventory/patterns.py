"""Ansible's host patterns: `nodes:!hdss7-22`, `masters:&etcd`, `hdss7-2*`, `nodes[0:1]`, `~hdss7-(11|21)`."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping, Sequence
from ipaddress import IPv6Address
from pathlib import Path

from provision.errors import InputError
from provision.home import expanded
from provision.spelling import listed, quoted, suggestion
from provision.usage import usage

_SUBSCRIPT = re.compile(r"^(?P<base>.+)\[(?:(?P<one>-?\d{1,9})|(?P<first>\d{1,9})[:-](?P<last>\d{0,9}))\]$")
_PLAIN = re.compile(r"[A-Za-z_][\w-]*$")
_WILD = frozenset("*?[")
# What means the controller itself, also where the inventory has no such host; and what names nobody in particular.
CONTROLLER = ("localhost", "127.0.0.1", "::1")
EVERY = ("all", "ungrouped", "*")


def members(pattern: str, hosts: Sequence[str], groups: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """As `select`, for the `hosts` of a play: a group that this inventory does not have is empty.

    One set of plays serves many sites, and not each has a host of every kind. A word that is near a name of the
    inventory is still an InputError: it was misspelt.
    """
    words = {part.lstrip("!&") for part in split(pattern)}
    missing = {
        word: ()
        for word in words
        if _PLAIN.match(word) and word not in (*groups, *hosts, *CONTROLLER) and not suggestion(word, [*groups, *hosts])
    }
    return select(pattern, hosts, {**groups, **missing})


def select(pattern: str, hosts: Sequence[str], groups: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The names of the hosts that `pattern` means, each once, in the order in which the pattern names them.

    As in Ansible: parts are joined by ',', ':' or blanks; '!' takes away and '&' keeps only, both after all other
    parts; with nothing but those, they work on all hosts. A part is a host, a group, a wildcard, a
    `~regular expression`, each but the last with an optional subscript ([0], [-1], [0:1]: both ends included; [1:]).
    `localhost`, `127.0.0.1` and `::1` are the controller where nothing else has that name: no member of `all`.
    Unlike in Ansible an empty pattern, and a part that matches nothing, is an InputError.
    """
    parts = split(pattern)
    chosen = [part for part in parts if part[0] not in "!&"] or ["all"]
    # of a host and a group of one name, the host is meant where the name stands alone
    kept = [name for part in chosen for name in ((part,) if part in hosts else _match(part, pattern, hosts, groups))]
    for part in sorted((part for part in parts if part[0] in "!&"), key=lambda part: part[0] == "!"):
        matched = frozenset(_match(part[1:], pattern, hosts, groups))
        kept = [name for name in kept if (name in matched) == (part[0] == "&")]
    return tuple(dict.fromkeys(kept))


def with_files(pattern: str, folder: Path) -> str:
    """`pattern` with the lines of a file for each part `@file`, as Ansible's --limit has it; relative to `folder`.

    Raises InputError for a file that can't be read or is empty.
    """
    return ",".join(",".join(_lines(part[1:], folder)) if part[0] == "@" else part for part in _parts(pattern))


_ODD = re.compile(r"[^\w.:,*?!&~\[\]()|^$+{}\\@ -]")  # what no pattern has


def _lines(name: str, folder: Path) -> list[str]:
    try:
        text = (folder / expanded(name)).read_text()
    except (OSError, ValueError) as error:
        found = error.strerror if isinstance(error, OSError) else "it is not text"
        do = "Name a file that has a host or a pattern on each line: --limit @FILE"
        raise InputError(f"the file of hosts {quoted(name)} can't be read", found=str(found), do=do) from None
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]
    if odd := next(filter(_ODD.search, lines), ""):
        raise InputError(
            f"{quoted(name)} is no file of hosts",
            found=f"A line of it is {quoted(odd)}",
            do="Write a host or a pattern on each line.",
        )
    if not lines:
        raise InputError(f"the file of hosts '{name}' is empty", do="Write a host or a pattern on each line.")
    return lines


def split(pattern: str) -> tuple[str, ...]:
    """The parts of a pattern. Raises InputError when there is none, or when one of them is empty or a file."""
    parts = _parts(pattern)
    file = next((part for part in parts if part.lstrip("!&").startswith("@")), None)
    if file:
        raise InputError(
            f"{quoted(file)}: a file of hosts is read by --limit only", do="Name the hosts: hdss7-21,hdss7-22."
        )
    return parts


def _parts(pattern: str) -> tuple[str, ...]:
    tight = re.sub(r"\s*([\s:,])\s*", r"\1", pattern.strip())
    parts = tuple(piece for part in tight.split(",") for piece in _pieces(part))
    if not all(part.lstrip("!&") for part in parts):
        found = f"a part of {quoted(pattern)} is empty" if tight else "the pattern is empty"
        raise InputError(found, do="Name a host or a group; 'all' means every host.")
    return parts


def _pieces(part: str) -> list[str]:
    """Split at ':' and blanks outside brackets, round ones too: `~hdss7-(?:11|21)` is one piece, as is 2001:db8::1."""
    if _is_ipv6(part.lstrip("!&")):
        return [part]
    pieces, depth, start = [], 0, 0
    for place, letter in enumerate(part):
        depth += (letter in "[(") - (letter in ")]")
        if depth <= 0 and (letter == ":" or letter.isspace()):
            pieces.append(part[start:place])
            start = place + 1
    return [*pieces, part[start:]]


def _is_ipv6(text: str) -> bool:
    try:
        return bool(IPv6Address(text))
    except ValueError:
        return False


def _match(part: str, pattern: str, hosts: Sequence[str], groups: Mapping[str, Sequence[str]]) -> Sequence[str]:
    subscript = None if part.startswith("~") else _SUBSCRIPT.match(part)
    base = subscript["base"] if subscript else part
    found = _named(base, hosts, groups)
    if found is not None:
        return _cut(part, subscript, found) if subscript and found else found
    do = suggestion(base, [*groups, *hosts])
    if part in CONTROLLER:
        return (part,)
    if subscript:
        do = f"{do} [ ] counts the hosts of a group; for hosts by their numbers write ~web0[1-3]."
    raise InputError(
        f"no host or group matches {quoted(base)}",
        found=f"The pattern was {quoted(pattern)}" if base != pattern else "",
        do=do or f"Groups: {listed(groups)}. Hosts: {listed(hosts)}. `{usage('hosts')}` shows them.",
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
    inside = [members for name, members in groups.items() if matcher.match(name)]
    found = [host for members in inside for host in members]
    found += [host for host in hosts if matcher.match(host)]
    return tuple(found) if found or inside else None  # a subscript counts twice what is there twice, as in Ansible


def _matcher(part: str) -> re.Pattern[str]:
    try:
        return re.compile(part[1:] if part.startswith("~") else fnmatch.translate(part))
    except re.error as error:
        do = "Correct it, or leave out the ~ that makes one of it." if part[0] == "~" else "Correct it."
        raise InputError(f"the regular expression {quoted(part)} can't be read", found=str(error), do=do) from None


def _cut(part: str, subscript: re.Match[str], found: Sequence[str]) -> Sequence[str]:
    if subscript["one"]:
        number = int(subscript["one"])
        chosen = found[number : number + 1 or None]
        if not chosen:
            raise InputError(
                f"{quoted(part)} asks for more than there is",
                found=f"{subscript['base']} has {len(found)} in all, counted from 0",
            )
        return chosen
    first, last = int(subscript["first"]), int(subscript["last"] or len(found))
    if subscript["last"] and last < first:
        raise InputError(f"{quoted(part)} ends before it begins", do="Write the lower number first; both are meant.")
    return found[first : last + 1]
