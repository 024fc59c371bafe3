"""What `nginx -T` prints, as a tree of directives with the file and line of each.

crossplane reads files from the disk that it runs on; here the text came from another host, so that the files and their
includes are found in the text itself.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

HEADING = re.compile(r"^# configuration file (/.*):$")
ESCAPED = {'"': '"', "'": "'", "\\": "\\", "t": "\t", "r": "\r", "n": "\n"}
DEPTH = 20  # of includes


class ConfigurationError(ValueError):
    """A text that is no configuration of nginx, or one that this program can't read."""


@dataclass(frozen=True)
class Directive:
    """One directive. block: what stands in its braces, None when it has none."""

    name: str
    arguments: tuple[str, ...]
    file: str
    line: int
    block: tuple[Directive, ...] | None = None

    @property
    def place(self) -> str:
        """Where it stands, as nginx writes it: file:line."""
        return f"{self.file}:{self.line}"

    def all(self, name: str) -> tuple[Directive, ...]:
        """The directives of that name directly inside."""
        return tuple(inner for inner in self.block or () if inner.name == name)

    def first(self, name: str) -> Directive | None:
        return next(iter(self.all(name)), None)

    def __str__(self) -> str:
        return " ".join((self.name, *self.arguments))


@dataclass(frozen=True)
class Word:
    """A token: text, or one of `;`, `{` and `}` when it is bare."""

    text: str
    line: int
    bare: bool = True


def parse_dump(text: str) -> Directive:
    """The main context, with every include in its place. Raises ConfigurationError."""
    files = split_dump(text)
    if not files:
        raise ConfigurationError("nginx -T printed no configuration")
    main = next(iter(files))
    return Directive("main", (), main, 1, tuple(_included(main, files, posixpath.dirname(main), 0)))


def split_dump(text: str) -> dict[str, str]:
    """The files of a dump in its order, the main one first."""
    files: dict[str, list[str]] = {}
    lines: list[str] | None = None
    for line in text.split("\n"):
        heading = HEADING.match(line)
        if heading:
            lines = files.setdefault(heading[1], [])
        elif lines is not None:
            lines.append(line)
    return {name: "\n".join(held) for name, held in files.items()}


def _included(name: str, files: Mapping[str, str], prefix: str, depth: int) -> Iterator[Directive]:
    if depth > DEPTH:
        raise ConfigurationError(f"{name}: includes go deeper than {DEPTH} files")
    words = list(_words(files[name], name))
    directives, rest = _directives(words, 0, name)
    if rest < len(words):
        raise ConfigurationError(f"{name}:{words[rest].line}: unexpected '}}'")
    yield from _expanded(directives, files, prefix, depth)


def _expanded(
    directives: Sequence[Directive], files: Mapping[str, str], prefix: str, depth: int
) -> Iterator[Directive]:
    for directive in directives:
        if directive.name == "include" and directive.arguments:
            for name in _matching(posixpath.join(prefix, directive.arguments[0]), files):
                yield from _included(name, files, prefix, depth + 1)
        elif directive.block is not None:
            inner = tuple(_expanded(directive.block, files, prefix, depth))
            yield Directive(directive.name, directive.arguments, directive.file, directive.line, inner)
        else:
            yield directive


def _matching(pattern: str, files: Mapping[str, str]) -> list[str]:
    """As glob(3) does: sorted, `*` stays within a folder, and no hidden files."""
    wanted = posixpath.normpath(pattern).split("/")
    found = []
    for name in sorted(files):
        parts = posixpath.normpath(name).split("/")
        if len(parts) == len(wanted) and all(
            fnmatchcase(part, glob) and (not part.startswith(".") or glob.startswith("."))
            for part, glob in zip(parts, wanted, strict=True)
        ):
            found.append(name)
    return found


def _directives(words: Sequence[Word], start: int, file: str) -> tuple[list[Directive], int]:
    """Directives from a position up to the `}` that closes them, or to the end."""
    found: list[Directive] = []
    held: list[Word] = []
    position = start
    while position < len(words):
        word = words[position]
        if word.bare and word.text == "}":
            break
        position += 1
        if not word.bare or word.text not in (";", "{"):
            held.append(word)
            continue
        if not held:
            raise ConfigurationError(f"{file}:{word.line}: unexpected '{word.text}'")
        block: tuple[Directive, ...] | None = None
        if word.text == "{":
            inner, position = _directives(words, position, file)
            if position >= len(words):
                raise ConfigurationError(f"{file}:{word.line}: '{held[0].text}' is not closed")
            block, position = tuple(inner), position + 1
        name, *arguments = held
        found.append(Directive(name.text, tuple(one.text for one in arguments), file, name.line, block))
        held = []
    if held:
        raise ConfigurationError(f"{file}:{held[0].line}: '{held[0].text}' is not ended")
    return found, position


def _words(text: str, file: str) -> Iterator[Word]:
    position, line = 0, 1
    while position < len(text):
        letter = text[position]
        if letter in " \t\r\n":
            line += letter == "\n"
            position += 1
        elif letter == "#":
            end = text.find("\n", position)
            position = len(text) if end < 0 else end
        elif letter in ";{}":
            yield Word(letter, line)
            position += 1
        else:
            quote = letter if letter in "\"'" else ""
            word, end = _word(text, position + len(quote), quote)
            if quote and end >= len(text):
                raise ConfigurationError(f"{file}:{line}: a quoted value is not closed")
            yield Word(word, line, bare=False)
            line += text.count("\n", position, end)
            position = end + len(quote)


def _word(text: str, position: int, quote: str) -> tuple[str, int]:
    """The value of a word that begins there, and where it ends."""
    letters: list[str] = []
    while position < len(text):
        letter = text[position]
        if letter == "\\" and position + 1 < len(text):
            following = text[position + 1]
            letters.append(ESCAPED.get(following, letter + following))
            position += 2
            continue
        if letter == quote if quote else letter in " \t\r\n;" or (letter == "{" and letters[-1:] != ["$"]):
            break
        letters.append(letter)
        position += 1
    return "".join(letters), position
