"""`--extra-vars` in its three forms: `k=v k=v`, `@file` and `{json}`; stronger than every file."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from provision.errors import InputError
from provision.home import expanded
from provision.inventory.layers import Layer
from provision.inventory.vault import Vault
from provision.inventory.yamlfile import Document, kind, parse, read
from provision.spelling import quoted

OPTION = "--extra-vars"


class Loose(str):
    """A value typed as `k=v` on the command line: text that becomes what its setting wants (82, true)."""

    __slots__ = ()


def firm(value: Any) -> Any:
    """`value` with the command line's text as ordinary text."""
    if isinstance(value, dict):
        return {key: firm(item) for key, item in value.items()}
    if isinstance(value, list):
        return [firm(item) for item in value]
    return str(value) if isinstance(value, Loose) else value


def layers(options: Iterable[str], cwd: Path, show: Callable[[Path], str], vault: Vault) -> tuple[Layer, ...]:
    """One or more layers for each use of the option, weakest (first) to strongest. Raises InputError."""
    return tuple(layer for option in options for layer in _layers(option, cwd, show, vault))


def pairs(text: str) -> tuple[tuple[tuple[str, ...], Loose], ...]:
    """`edge.domain=x "note=two words"` as ((('edge', 'domain'), 'x'), (('note',), 'two words')).

    Words and quotes as in a shell. Raises InputError for a word without '=' and for an empty or odd name.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise _bad(text, str(error)) from None
    if not words:
        raise _bad(text, "nothing was given")
    return tuple(_pair(word) for word in words)


def _pair(word: str) -> tuple[tuple[str, ...], Loose]:
    name, equals, value = word.partition("=")
    path = tuple(name.split("."))
    if not equals:
        raise _bad(word, "there is no '=' in it")
    if not path[0].isidentifier() or not all(path):
        raise _bad(word, f"{quoted(name)} is not a variable's name")
    return path, Loose(value)


def _layers(option: str, cwd: Path, show: Callable[[Path], str], vault: Vault) -> Iterable[Layer]:
    text = option.strip()
    if text.startswith("@"):
        return (_whole(_file(text, cwd / expanded(text[1:]), show, vault)),)
    if text.startswith(("{", "[")):
        return (_whole(_read(lambda: parse(text, OPTION, vault))),)
    return tuple(_assign(path, value) for path, value in pairs(text))


def _file(option: str, path: Path, show: Callable[[Path], str], vault: Vault) -> Document:
    if not path.exists() or path.is_dir():
        raise _bad(option, "it is a folder" if path.is_dir() else "there is no such file")
    return _read(lambda: read(path, show(path), vault))


def _read(document: Callable[[], Document]) -> Document:
    try:
        return document()
    except InputError as error:
        raise error.but(do=error.explanation.do or _FORMS) from None


def _whole(document: Document) -> Layer:
    if not isinstance(document.data, dict) or not all(isinstance(name, str) for name in document.data):
        names = isinstance(document.data, dict)
        found = "A name in it is no text" if names else f"{kind(document.data).capitalize()} was written"
        raise InputError("extra variables are names with values", line=document.shown, found=found, do=_FORMS)
    for name in document.data:
        if "." in name:
            first, _, rest = name.partition(".")
            raise InputError(
                f"extra variables: {quoted(name)} is no variable's name",
                line=document.line((name,)),
                do=f"In a mapping write {first}: {{{rest}: …}}; a dotted name is for the form k=v: {name}=…",
            )
    return Layer(document.data, document.line)


def _assign(path: tuple[str, ...], value: Loose) -> Layer:
    nested: Any = value
    for key in reversed(path):
        nested = {key: nested}

    def line(asked: Sequence[object]) -> str:
        return OPTION if tuple(map(str, asked)) == path[: len(asked)] else ""

    return Layer(nested, line, patch=len(path) > 1)


_FORMS = 'Write k=v, group.k=v, @FILE (YAML or JSON) or {"k": "v"}; quote a value that holds spaces.'


def _bad(word: str, found: str) -> InputError:
    return InputError(f"{OPTION} {quoted(word)} can't be read", found=found, do=_FORMS)
