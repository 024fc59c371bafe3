"""`lookup('env', 'HOME')` and its like, as far as they read nothing but variables, files and the environment."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from glob import glob
from pathlib import Path
from typing import Any

from provision.errors import InputError, UnsetError
from provision.spelling import suggestion
from provision.templating.filters.lists import dict2items
from provision.templating.plugins import UnknownPluginError, short
from provision.templating.refused import LOOKUPS as REFUSED
from provision.templating.refused import advice
from provision.templating.undefined import failure, marker_among

Scope = Mapping[str, Any]
_VAULT = "$ANSIBLE_VAULT"
# The short form of a sequence: 4, 2-6, 2-6/2, 1-3:host%02d
_SHORT = re.compile(r"(?:(?P<start>\w+)-)?(?P<end>\w+)(?:/(?P<stride>\w+))?(?::(?P<format>.+))?")


def look_up(scope: Scope, kind: str, terms: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """What `lookup(kind, *terms, **options)` gives where the names of `scope` are known.

    options: wantlist (a list is given, whatever is in it), errors ('ignore' and 'warn' give nothing), and those of
    the kind. Raises UnknownPluginError, or what the lookup fails with.
    """
    name = short(kind)
    if name not in LOOKUPS:
        raise UnknownPluginError("lookup", kind, suggestion(name, LOOKUPS) or advice(name, REFUSED))
    own = {key: value for key, value in options.items() if key not in ("wantlist", "errors")}
    unset = marker_among(LOOKUPS[name], terms, {} if name == "env" else own)
    if unset is not None:
        return unset
    try:
        found: Any = LOOKUPS[name](scope, terms, own)
    except (OSError, InputError):
        if options.get("errors", "strict") == "strict":
            raise
        found = [] if options.get("wantlist") else None
    if options.get("wantlist") or not found:
        return found
    if len(found) == 1:
        return found[0]
    return ",".join(found) if all(isinstance(each, str) for each in found) else found


def _variables(scope: Scope, terms: Sequence[Any], options: Mapping[str, Any]) -> list[Any]:
    def value(name: Any) -> Any:
        try:
            return scope[name]
        except KeyError:
            if options.get("default") is not None:
                return options["default"]
        return failure(UnsetError(f"'{name}' is not set", do=suggestion(str(name), map(str, scope))))

    return [value(name) for name in terms]


def _names(scope: Scope, terms: Sequence[Any], options: Mapping[str, Any]) -> list[Any]:
    return [name for term in terms for name in scope if re.search(term, name)]


def _environment(scope: Scope, terms: Sequence[Any], options: Mapping[str, Any]) -> list[Any]:
    return [os.environ.get(term.split()[0], options.get("default", "")) for term in terms]


def _files(scope: Scope, terms: Sequence[Any], options: Mapping[str, Any]) -> list[Any]:
    return [_text(scope, term, options) for term in terms]


def _text(scope: Scope, name: str, options: Mapping[str, Any]) -> str:
    places = [folder / name for folder in _folders(scope)]
    path = next((place for place in places if place.exists()), None)
    if path is None:
        raise InputError(f"there is no file '{name}'", do=f"It is looked for as {' and '.join(map(str, places))}.")
    text = path.read_bytes().decode()
    if text.startswith(_VAULT):
        raise InputError(
            f"the file '{name}' is encrypted", do="Encrypt the value itself (!vault): ansible-vault encrypt_string."
        )
    text = text.lstrip() if options.get("lstrip", False) else text
    return text.rstrip() if options.get("rstrip", True) else text


def _globbed(scope: Scope, terms: Sequence[Any], options: Mapping[str, Any]) -> list[Any]:
    found: list[Any] = []
    for term in terms:
        every = (sorted(filter(os.path.isfile, glob(str(folder / term)))) for folder in _folders(scope))
        found += next(filter(None, every), [])
    return found


def _folders(scope: Scope) -> list[Path]:
    """Where Ansible looks for a file that a variable names: beside site.yml, in `files/` first."""
    try:
        base = Path(str(scope["playbook_dir"]))
    except KeyError:
        base = Path.cwd()
    return [base / "files", base]


def _entries(scope: Scope, terms: Sequence[Any], options: Mapping[str, Any]) -> list[Any]:
    return [entry for term in terms for entry in dict2items(term)]


def _items(scope: Scope, terms: Sequence[Any], options: Mapping[str, Any]) -> list[Any]:
    return list(_flat(terms))


def _flat(terms: Iterable[Any]) -> Iterable[Any]:
    for term in terms:
        yield from term if isinstance(term, (list, tuple)) else [term]


def _sequence(scope: Scope, terms: Sequence[Any], options: Mapping[str, Any]) -> list[Any]:
    found: list[Any] = []
    for term in terms or ("",):
        short = _SHORT.fullmatch(str(term))
        words = short.groupdict() if short else dict(word.split("=", 1) for word in str(term).split())
        given = {**options, **{name: value for name, value in words.items() if value is not None}}
        start, stride = int(str(given.get("start", 1)), 0), int(str(given.get("stride", 1)), 0)
        end = start + int(given["count"]) * stride - 1 if "count" in given else int(str(given["end"]), 0)
        found += [
            given.get("format", "%d") % number for number in range(start, end + (1 if stride > 0 else -1), stride)
        ]
    return found


LOOKUPS: Mapping[str, Callable[[Scope, Sequence[Any], Mapping[str, Any]], list[Any]]] = {
    "dict": _entries,
    "env": _environment,
    "file": _files,
    "fileglob": _globbed,
    "indexed_items": lambda scope, terms, options: list(enumerate(_flat(terms))),
    "items": _items,
    "list": lambda scope, terms, options: list(terms),
    "nested": lambda scope, terms, options: [list(each) for each in itertools.product(*terms)],
    "sequence": _sequence,
    "together": lambda scope, terms, options: [list(each) for each in itertools.zip_longest(*terms)],
    "unvault": _files,
    "vars": _variables,
    "varnames": _names,
}
