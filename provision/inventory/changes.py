"""How a setting may change on a site that runs. Each field of a Settings struct says so around its type:

    verbosity: Rolled[Natural] = 2  # of the log

A role that leaves it out works, but nobody can look up what a change of its settings costs.
"""

from __future__ import annotations

import ast
import inspect
import io
import textwrap
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

import msgspec

T = TypeVar("T")


class Changes(StrEnum):
    """What a change of a setting costs.

    FREE: no request is touched. ROLLED: node by node, each drained meanwhile, without a failed request.
    ONCE: fixed when the cluster was made; another value is refused before anything changes.
    """

    FREE = "free"
    ROLLED = "rolled"
    ONCE = "once"


Free = Annotated[T, Changes.FREE]
Rolled = Annotated[T, Changes.ROLLED]
Once = Annotated[T, Changes.ONCE]


@dataclass(frozen=True)
class Setting:
    """One setting as a person looks it up. name: 'kubelet.root'; NAME stands for a key of a mapping.

    changes: None where the field does not say it. type: as it is written, or the words that it takes. default: as YAML
    has it, '' for a setting that must be written. meaning: the comment behind the field.
    """

    name: str
    changes: Changes | None
    type: str
    default: str
    meaning: str


def settings(kind: type[msgspec.Struct], namespace: str) -> Iterator[Setting]:
    """Every setting of a struct, those of the structs inside it after the field that holds them.

    A role's settings may also be a mapping of structs, by names that a person chooses.
    """
    if get_origin(kind) is dict:
        for suffix, inner in _structs(kind):
            yield from settings(inner, namespace + suffix)
        return
    comments = _comments(kind)
    for field in msgspec.structs.fields(kind):
        path = f"{namespace}.{field.encode_name}"
        found = (each for each in getattr(field.type, "__metadata__", ()) if isinstance(each, Changes))
        kind_of = _words(field.type) or _bare(str(kind.__annotations__[field.name]))
        yield Setting(path, next(found, None), kind_of, _default(field), comments.get(field.name, ""))
        for suffix, inner in _structs(field.type):
            yield from settings(inner, path + suffix)


def _words(kind: Any) -> str:
    """The words that a setting takes, '' where it takes others."""
    bare = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    return ", ".join(str(word) or "''" for word in get_args(bare)) if get_origin(bare) is Literal else ""


def _bare(annotation: str) -> str:
    """The annotation without what says how it changes: Natural of Rolled[Natural]."""
    marker, _, rest = annotation.partition("[")
    return rest.removesuffix("]") if marker.lower() in set(Changes) else annotation


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.default is msgspec.NODEFAULT and field.default_factory is msgspec.NODEFAULT:
        return ""
    made = field.default_factory() if field.default is msgspec.NODEFAULT else field.default
    return made or "''" if isinstance(made, str) else msgspec.json.encode(made).decode()


def _structs(kind: Any) -> Iterator[tuple[str, type[msgspec.Struct]]]:
    """The structs that a type holds, and where in it: ('.NAME', Binary) of dict[Name, Binary]."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        yield "", kind
    elif get_origin(kind) is dict:
        yield from ((f".NAME{suffix}", inner) for suffix, inner in _structs(get_args(kind)[1]))
    else:
        for each in get_args(kind):
            yield from _structs(each)


def _comments(kind: type[msgspec.Struct]) -> Mapping[str, str]:
    """Field -> the comment at the end of its lines."""
    source = textwrap.dedent(inspect.getsource(kind))
    by_line = {
        token.start[0]: token.string.removeprefix("#").strip()
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    (struct,) = ast.parse(source).body
    assert isinstance(struct, ast.ClassDef)
    fields = (node for node in struct.body if isinstance(node, ast.AnnAssign))
    return {ast.unparse(node.target): by_line.get(node.end_lineno or node.lineno, "") for node in fields}
