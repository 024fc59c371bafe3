"""Variables of the inventory as a role's typed settings; every mistake with file, line and the right word."""

from __future__ import annotations

import re
import types
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache
from itertools import product
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import msgspec

from provision.decoding import convert
from provision.errors import InputError
from provision.inventory import Host, Inventory
from provision.inventory.evaluation_errors import dotted
from provision.inventory.extravars import Loose
from provision.inventory.layers import Layer, Path
from provision.secret import Secret, SecretText, secret, secrets_in
from provision.spelling import distance, suggestion

T = TypeVar("T")

SITE = "site"  # the namespace of what several roles need

# How msgspec ends a message: "... - at `$.ports[0].name`" or "... - at `key` in `$.flags`"; a value of a dict is [...].
_PLACE = re.compile(r"^(?P<what>.*?)(?: - at (?P<key>`key` in )?`\$(?P<path>[^`]*)`)?$", re.DOTALL)
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")
_WRONG_TYPE = re.compile(r"Expected `(?P<wanted>[^`]+)`, got `(?P<got>[^`]+)`")
_BOUND = re.compile(r"Expected `int` (?P<which>[<>])= (?P<bound>-?\d+)")
_FORM = re.compile(r"Expected `str` (?:matching regex|of length)")
_MISSING = re.compile(r"Object missing required field `(?P<name>[^`]+)`")


def bind(kind: type[T], host: Host, namespace: str) -> T:
    """The variables under `namespace` as `kind`, a frozen msgspec.Struct.

    Values from files and JSON must have the setting's type; `--extra-vars k=v` and a `!vault` value are text and are
    converted ("82" to 82). A secret stays one.
    Raises InputError for an unknown key, a wrong type or value, and a setting that is missing.
    """
    values = host.scope.value(namespace) if namespace in host.vars else None
    if values is None:
        values = {}
    if not isinstance(values, Mapping):
        raise _error(host, (namespace,), f"'{namespace}' holds settings", f"{values!r} was written")
    _refuse_unknown(kind, values, host, (namespace,))
    plain = _loosen(kind, values)
    try:
        made = convert(plain, kind)
    except msgspec.ValidationError as error:
        raise _explained(error, kind, plain, host, namespace) from None
    kept: T = _kept(made, plain) if any(secrets_in(plain)) else made
    return kept


def _kept(made: Any, given: Any) -> Any:
    """`made` out of `given`, its secrets secrets again: msgspec makes plain numbers of secret ones."""
    if isinstance(given, Secret):
        return secret(made)
    if isinstance(made, msgspec.Struct) and isinstance(given, Mapping):
        for field in msgspec.structs.fields(made):
            if field.encode_name in given:
                value = _kept(getattr(made, field.name), given[field.encode_name])
                msgspec.structs.force_setattr(made, field.name, value)
    elif isinstance(made, dict) and isinstance(given, Mapping):
        return {key: _kept(*values) for key, *values in zip(made, made.values(), given.values(), strict=True)}
    elif isinstance(made, (list, tuple)) and isinstance(given, (list, tuple)):
        return type(made)(map(_kept, made, given))
    return made


def check_names(inventory: Inventory, namespaces: Iterable[str]) -> None:
    """Raise InputError for a name that looks like a role's settings and would have no effect: a mapping whose name is
    nearly that of a role, and a dotted name, which only --extra-vars take apart.

    A text, a number or a list under such a name ('name', 'git', 'time') is a variable of somebody's own.
    """
    known = frozenset(namespaces)
    layers = {id(layer): layer for found in inventory.layers.values() for layer in found}
    for layer in layers.values():
        for name, value in layer.values.items():
            if isinstance(value, Mapping):
                _check_name(name, known, layer)
            first, _, rest = name.partition(".")
            if rest and first in known:
                raise InputError(
                    f"'{name}' sets nothing: a dotted name is for --extra-vars",
                    line=layer.line((name,)),
                    do=f"Write {first}: {{{': {'.join(rest.split('.'))}: …{'}' * len(rest.split('.'))}",
                )


def _check_name(name: str, known: frozenset[str], layer: Layer) -> None:
    if name in known:
        return
    # Short words are near to anything: 'dns' is not a misspelt 'cni', nor 'aws' a misspelt 'apps'.
    near = [(distance(name, other), other) for other in known if abs(len(name) - len(other)) <= 2]
    meant = min((pair for pair in near if pair[0] <= (2 if len(pair[1]) > 4 else 1)), default=None)
    if meant:
        raise InputError(
            f"'{name}' is not the name of a role's settings",
            line=layer.line((name,)),
            do=f"Did you mean '{meant[1]}'? A variable of your own needs a name less like it.",
        )


def _refuse_unknown(kind: Any, values: Any, host: Host, path: Path) -> None:
    """Look for keys that no struct knows, everywhere inside."""
    kind = _bare(kind)
    fields = _fields(kind)
    if isinstance(values, Mapping) and fields is not None:
        for key, value in values.items():
            if key not in fields:
                do = suggestion(str(key), fields) or f"There are {', '.join(fields)}."
                raise _error(host, (*path, key), f"'{path[-1]}' has no setting '{key}'", do=do)
            _refuse_unknown(fields[key], value, host, (*path, key))
    elif isinstance(values, Mapping):
        for key, value in values.items():
            _refuse_unknown(_item(kind, key), value, host, (*path, key))
    elif isinstance(values, list):
        for place, value in enumerate(values):
            _refuse_unknown(_item(kind, place), value, host, (*path, place))


def _loosen(kind: Any, values: Any) -> Any:
    """Turn the command line's and a vault's text into what its setting wants; what can't be turned stays."""
    if isinstance(values, SecretText):
        return secret(_loosen(kind, Loose(values)))
    if isinstance(values, Loose):
        text = str(values)
        word = {"yes": "true", "on": "true", "no": "false", "off": "false"}.get(text.lower(), text)
        # without its bounds too: a number out of bounds is still a number, and the error says so
        for wanted, each in product((kind, _bare(kind)), (text, word)):
            with suppress(msgspec.ValidationError):
                return msgspec.to_builtins(convert(each, wanted, strict=False))
        return text
    kind = _bare(kind)
    if isinstance(values, Mapping):
        fields = _fields(kind)
        return {k: _loosen(fields.get(k, Any) if fields is not None else _item(kind, k), v) for k, v in values.items()}
    if isinstance(values, (list, tuple)):
        return [_loosen(_item(kind, place), value) for place, value in enumerate(values)]
    return values


def _explained(error: msgspec.ValidationError, kind: Any, values: Any, host: Host, namespace: str) -> InputError:
    match = _PLACE.match(str(error))
    what, steps = (match["what"], match["path"] or "") if match else (str(error), "")
    inside, kind = _locate(kind, values, steps)
    path = (namespace, *inside)
    value = _at(values, inside)
    if match and match["key"]:
        return _wrong_key(kind, value, host, path)
    missing = _MISSING.fullmatch(what)
    if missing:
        name = dotted((*path, missing["name"]))
        return _error(host, path, f"the setting '{name}' is missing", do="Set it in group_vars/ of the inventory.")
    wrong = _WRONG_TYPE.search(what)
    if wrong:
        meta = _meta(kind)
        do = f"Write {_article(wrong['wanted'])}" + (f" Such as {meta.examples[0]!r}." if meta and meta.pattern else "")
        return _error(
            host, path, f"the setting '{dotted(path)}' has the wrong type", f"{_shown(value)} was written", do
        )
    choices = [str(choice) for choice in get_args(_bare(kind))] if get_origin(_bare(kind)) is Literal else []
    if choices:
        do = suggestion(str(value), choices)
        known = ", ".join(each or "''" for each in choices)
        found = f"{_shown(value)} is none of {known}"
    elif bound := _BOUND.search(what):
        do = f"Write a whole number, at {'least' if bound['which'] == '>' else 'most'} {bound['bound']}."
        found = f"{_shown(value)} was written"
    elif _FORM.search(what) and _meta(kind):
        found, do = _form(kind, value)
    else:
        do, found = "", f"{_shown(value)}: {what}" if inside else what
    return _error(host, path, f"the setting '{dotted(path)}' has a wrong value", found, do)


def _wrong_key(kind: Any, values: Any, host: Host, path: Path) -> InputError:
    """A name in a mapping that its type does not allow."""
    wanted = _key(kind)
    name = next((key for key in values if not _fits(key, wanted)), "")
    found, do = _form(wanted, name)
    return _error(host, (*path, name), f"the setting '{dotted(path)}' has a wrong name in it", found, do)


def _form(kind: Any, value: Any) -> tuple[str, str]:
    """What is wrong with a text that does not have the form of its type, and what to write."""
    meta = _meta(kind)
    if meta is None:
        return f"{_shown(value)} was written", ""
    return f"{_shown(value)} is not {meta.title}", f"Write one such as {meta.examples[0]}"


def _meta(kind: Any) -> Any:
    """What a type of provision.inventory.types says of itself; None for other types."""
    found = (each for each in getattr(kind, "__metadata__", ()) if isinstance(each, msgspec.Meta))
    return next((meta for meta in found if meta.title and meta.examples), None)


def _locate(kind: Any, values: Any, steps: str) -> tuple[Path, Any]:
    """The path that msgspec's `.a[0][...]` means, and the type wanted there."""
    path: tuple[Any, ...] = ()
    for name, place in _STEP.findall(steps):
        kind = _bare(kind)
        if place == "...":
            key = _culprit(_item(kind, ""), _at(values, path))
            if key is None:
                break
        else:
            key = int(place) if place else name
        fields = _fields(kind)
        kind = fields.get(str(key), Any) if fields is not None else _item(kind, key)
        path = (*path, key)
    return path, kind


def _culprit(kind: Any, values: Any) -> Any:
    entries = values.items() if isinstance(values, Mapping) else ()
    return next((key for key, value in entries if not _fits(value, kind)), None)


def _fits(value: Any, kind: Any) -> bool:
    try:
        convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True


def _at(values: Any, path: Path) -> Any:
    for key in path:
        values = values[key]
    return values


@cache
def _fields(kind: Any) -> dict[str, Any] | None:
    """Setting names and their types, None when `kind` is not a struct."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return {field.encode_name: field.type for field in msgspec.structs.fields(kind)}
    return None


def _bare(kind: Any) -> Any:
    """`kind` without Annotated, and of a union the part that values can be nested in."""
    if get_origin(kind) is Annotated:
        return _bare(get_args(kind)[0])
    if get_origin(kind) in (Union, types.UnionType):
        parts = [part for part in map(_bare, get_args(kind)) if part is not type(None)]
        nested = [part for part in parts if _fields(part) is not None or get_origin(part) is not None]
        return (nested or parts)[0]
    return kind


def _item(kind: Any, key: Any) -> Any:
    """The type of what is inside a dict, list or tuple of type `kind`."""
    arguments = get_args(kind)
    if not arguments or get_origin(kind) is Literal:
        return Any
    if get_origin(kind) is tuple and arguments[-1] is not Ellipsis:
        return arguments[key] if isinstance(key, int) and key < len(arguments) else Any
    return arguments[1] if len(arguments) == 2 and arguments[1] is not Ellipsis else arguments[0]


def _key(kind: Any) -> Any:
    """The type of the names in a dict of type `kind`."""
    arguments = get_args(_bare(kind))
    return arguments[0] if len(arguments) == 2 else Any


def _article(wanted: str) -> str:
    names = {
        "int": "a whole number", "float": "a number", "str": "text (in quotes, if it looks like a number)",
        "bool": "true or false", "array": "a list", "object": "names with values", "null": "nothing",
    }  # fmt: skip
    return " or ".join(names.get(each.strip(), each.strip()) for each in wanted.split("|")) + "."


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _error(host: Host, path: Path, what: str, found: str = "", do: str = "") -> InputError:
    line = next(filter(None, (host.origin(*path[:size]) for size in range(len(path), 0, -1))), "")
    role = "" if path[0] == "site" else str(path[0])
    return InputError(what, host=host.name, role=role, line=line, found=found, do=do)
