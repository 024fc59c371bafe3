"""Manifests in files, each value with the line that it was written in. Pure apart from `read`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from provision.errors import InputError
from provision.home import expanded

Place = tuple[str | int, ...]  # of a value in a document: ("spec", "rules", 0, "host")
How = Literal["changed", "lost", "todo"]  # into something of the same effect, without a successor, for a person to do
Say = Callable[[Place, How, str], None]  # what is to be said of a value
DEEPEST, MOST = 60, 100_000  # levels and values of a document; aliases count as what they stand for


@dataclass(frozen=True)
class Document:
    """One object. source: its file, as it was named. lines: where each of its values begins; none of a live one."""

    source: str
    value: Mapping[str, Any]
    lines: Mapping[Place, int]

    @property
    def title(self) -> str:
        """`Ingress kube-system/traefik-web-ui`."""
        metadata = self.value.get("metadata") or {}
        place = f"{metadata['namespace']}/" if metadata.get("namespace") else ""
        return f"{self.value['kind']} {place}{metadata.get('name', '')}"

    def line(self, *place: str | int) -> str:
        """`file:line` of a value, or of what it would be in."""
        while place and place not in self.lines:
            place = place[:-1]
        return f"{self.source}:{self.lines[place]}" if place in self.lines else self.source


@dataclass(frozen=True)
class Note:
    """What is to be said of one line."""

    line: str
    title: str
    how: How
    text: str

    def __str__(self) -> str:
        return f"{self.line}: {self.title}: {'' if self.how == 'changed' else f'{self.how.upper()}: '}{self.text}"


def mapping(value: Any) -> dict[Any, Any]:
    """The value itself where it is a mapping; what is none is for the API's schema to refuse."""
    return value if isinstance(value, dict) else {}


def sequence(value: Any) -> list[Any]:
    """The value itself where it is a list."""
    return value if isinstance(value, list) else []


def read(names: Sequence[str]) -> list[Document]:
    """The objects of YAML files, `List`s unfolded. Raises InputError naming file and line."""
    found: list[Document] = []
    for name in names:
        path = expanded(name)
        try:
            found += parse(path.read_text(), name)
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(
                f"--file {name} can't be read", found=_reason(error, path), do="Name a YAML file"
            ) from None
    return found


class _Loader(yaml.SafeLoader):
    """Reads a date as the text that it is to Kubernetes."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _reason(error: OSError | UnicodeDecodeError, path: Path) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "It is not UTF-8"
    return "It is a folder" if path.is_dir() else (error.strerror or str(error))


def parse(text: str, source: str) -> list[Document]:
    """The objects of one YAML stream. Raises InputError."""
    found: list[Document] = []
    try:
        loader = _Loader(text)
        while loader.check_node():
            node = loader.get_node()
            lines = dict(_lines(node, (), source)) if node else {}
            value = loader.construct_document(node)
            json.dumps(value)
            found += _objects(value, lines, source)
    except TypeError as error:
        raise InputError("the manifest is no JSON", line=source, found=str(error), do="Write it as text") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise InputError(
            "the manifest is not YAML",
            line=f"{source}:{mark.line + 1}" if mark else source,
            found=str(error.problem or error.context),
            do="Correct it there, or just above",
        ) from None
    except yaml.YAMLError as error:  # a character that YAML has not
        raise InputError("the manifest is not YAML", line=source, found=str(error), do="Take it out") from None
    return found


def _lines(root: yaml.Node, place: Place, source: str) -> Iterator[tuple[Place, int]]:
    """Every value's place and line. Raises InputError for a document that is too large, or that contains itself."""
    left: list[tuple[yaml.Node, Place]] = [(root, place)]
    seen = 0
    while left:
        node, place = left.pop()
        seen += 1
        line = node.start_mark.line + 1
        if len(place) > DEEPEST or seen > MOST:
            raise InputError(
                "the document is no manifest",
                line=f"{source}:{line}",
                found=f"With its aliases it has more than {DEEPEST} levels or {MOST} values",
                do="Write out what it should hold",
            )
        yield place, line
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if isinstance(key, yaml.ScalarNode):
                    left.append((value, (*place, key.value)))
                    yield (*place, key.value), key.start_mark.line + 1
        elif isinstance(node, yaml.SequenceNode):
            left += [(value, (*place, index)) for index, value in enumerate(node.value)]


def _objects(value: Any, lines: Mapping[Place, int], source: str) -> Iterator[Document]:
    if value is None:
        return
    if isinstance(value, dict) and value.get("kind") == "List" and isinstance(value.get("items"), list):
        for index, item in enumerate(value["items"]):
            start: Place = ("items", index)
            own = {place[2:]: line for place, line in lines.items() if place[:2] == start}
            yield from _objects(item, own, source)
        return
    if not isinstance(value, dict):
        raise InputError(
            "a document of the manifest is no object",
            line=f"{source}:{lines[()]}",
            found=f"It is {str(value)[:60]!r}",
            do="Write apiVersion, kind and metadata, or take it out",
        )
    if lacks := _lacking(value):
        raise InputError(
            f"an object of the manifest has no {lacks}", line=f"{source}:{lines[()]}", do=f"Add {lacks}, or take it out"
        )
    yield Document(source, value, lines)


def _lacking(value: Mapping[str, Any]) -> str:
    for key in ("apiVersion", "kind"):
        if not isinstance(value.get(key), str):
            return key
    metadata = value.get("metadata")
    return "" if isinstance(metadata, dict) and isinstance(metadata.get("name"), str) else "metadata.name"
