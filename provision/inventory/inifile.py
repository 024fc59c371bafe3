"""INI inventories as Ansible reads them: sections of hosts, of child groups and of variables, with line numbers.

The rules are those of Ansible's plugin `ini` (docs.ansible.com, collections/ansible/builtin/ini_inventory): values are
Python literals where they can be read as one, else text; on a host's line words are split as a shell does.
"""

from __future__ import annotations

import ast
import re
import shlex
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from provision.errors import InputError
from provision.spelling import quoted
from provision.templating.marks import LONGEST_NUMBER

Kind = Literal["hosts", "children", "vars"]
_SECTION = re.compile(r"\[(?P<group>[^:\]\s]+)(?::(?P<kind>\w+))?\]\s*(?:#.*)?")
_GROUP = re.compile(r"(?P<group>[^:\]\s]+)\s*(?:#.*)?")
_COMMENTS = ("#", ";")
_DO_SECTION = "Write [GROUP], [GROUP:children] or [GROUP:vars], without blanks in the brackets."


class FirstLineError(InputError):
    """Already the first line that says anything can't be read: the text may be no INI at all."""


@dataclass(frozen=True)
class Entry:
    """A line of a section. name: host pattern, child group, or variable; line: `file:line`.

    values: a host's variables, or the one variable that a line of [GROUP:vars] sets.
    """

    name: str
    line: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Section:
    """A section and its lines. The lines before the first header are hosts of `ungrouped`."""

    group: str
    kind: Kind
    line: str
    entries: tuple[Entry, ...] = ()


@dataclass(frozen=True)
class IniFile:
    """One INI inventory. shown: its name as a person reads it."""

    sections: tuple[Section, ...]
    shown: str


def has_section(text: str) -> bool:
    """Whether a text that is no YAML inventory was meant as INI."""
    return any(_SECTION.fullmatch(line.strip()) for line in text.splitlines())


def host_list(text: str, shown: str) -> IniFile:
    """`h1,h2,`: hosts on the command line, without groups or variables."""
    names = [name.strip() for name in text.split(",")]
    entries = tuple(Entry(name, shown) for name in names if name)
    return IniFile((Section("ungrouped", "hosts", shown, entries),), shown)


def parse(text: str, shown: str) -> IniFile:
    """The sections in `text`. Raises InputError, with file and line, for a line that Ansible would not read either."""
    sections: list[Section] = []
    group, kind, start = "ungrouped", "hosts", shown
    entries: list[Entry] = []

    def finish() -> None:
        if entries or start != shown:
            sections.append(Section(group, kind, start, tuple(entries)))  # type: ignore[arg-type]

    for number, raw in enumerate(text.splitlines(), 1):
        line, place = raw.strip(), f"{shown}:{number}"
        if not line or line.startswith(_COMMENTS):
            continue
        try:
            if header := _header(line, place):
                finish()
                group, kind, start, entries = *header, place, []
            else:
                entries.append(_entry(kind, line, place))
        except InputError as error:
            if entries or start != shown:
                raise
            raise FirstLineError(**error.explanation.as_dict()) from None
    finish()
    return IniFile(tuple(sections), shown)


def _header(line: str, place: str) -> tuple[str, str] | None:
    match = _SECTION.fullmatch(line)
    if match is None:
        if line.startswith("[") and line.endswith("]"):
            raise InputError(f"the section {quoted(line)} can't be read", line=place, do=_DO_SECTION)
        return None
    kind = match["kind"] or "hosts"
    if kind not in ("hosts", "children", "vars"):
        raise InputError(
            f"the section {quoted(line)} is of an unknown kind", line=place, found=quoted(f":{kind}"), do=_DO_SECTION
        )
    return match["group"], kind


def _entry(kind: str, line: str, place: str) -> Entry:
    if kind == "hosts":
        return _host(line, place)
    if kind == "children":
        match = _GROUP.fullmatch(line)
        if match is None:
            raise InputError(
                "a group's name was expected", line=place, found=quoted(line), do="Write one group a line."
            )
        return Entry(match["group"], place)
    name, equals, value = (part.strip() for part in line.partition("="))
    if not equals:
        raise InputError("a variable was expected", line=place, found=quoted(line), do="Write NAME=VALUE.")
    return Entry(name, place, {name: _value(value, place)})


def _host(line: str, place: str) -> Entry:
    try:
        name, *words = shlex.split(line, comments=True)
    except ValueError as error:
        raise InputError(
            "the host's line can't be read", line=place, found=str(error), do="Close the quotes."
        ) from None
    if not name:
        raise InputError("the host's name is empty", line=place, do="Begin the line with the host's name.")
    if name == "---":
        raise InputError(
            "'---' begins YAML, and the rest is INI", line=place, do="Write all of the file as one of them."
        )
    if name.endswith(":"):
        raise InputError(
            f"{quoted(name)} ends in ':'",
            line=place,
            do="In INI a port follows it (host:2222); a YAML inventory begins with 'all:' and is indented.",
        )
    values = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            raise InputError(
                "a variable was expected after the host's name",
                line=place,
                found=quoted(word),
                do="Write NAME=VALUE, in quotes where it holds blanks; one host a line.",
            )
        values[key] = _value(value, place)
    return Entry(name, place, values)


def _value(text: str, place: str) -> Any:
    """A Python literal (5, True, [1, 2], 'x'), or else the text itself."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _plain(ast.literal_eval(text))
    except (ValueError, SyntaxError):
        return text  # without a surrogate: it is read from UTF-8
    except (TypeError, MemoryError, RecursionError) as error:
        raise InputError("the value can't be read", line=place, found=f"{quoted(text)}: {error}") from None


def _plain(value: Any) -> Any:
    """What Ansible makes of a literal: tuples and sets are lists; bytes, complex numbers and '...' are text."""
    if isinstance(value, (list, tuple, set)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, bytes):
        value = value.decode("utf-8", "surrogateescape")
    if isinstance(value, str) and not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
        raise TypeError("half of a surrogate pair is no text")
    if isinstance(value, int) and value.bit_length() > LONGEST_NUMBER:
        raise TypeError("the number has thousands of digits")
    if value is ...:
        return "..."
    return str(value) if isinstance(value, complex) else value
