"""Manifests in files, each value with the line that it was written in. Pure apart from `read`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from provision.errors import InputError
from provision.home import expanded
from provision.resources.kubernetes.stream import Place, read_stream, values
from provision.usage import usage

How = Literal["changed", "lost", "todo"]  # into something of the same effect, without a successor, for a person to do
TEMPLATE = re.compile(r"\{\{|\{%")
RENDER = (
    f"Name a file as it is applied (helm template, kubectl get -o yaml); {usage('lint')} judges those of applications"
)
Say = Callable[[Place, How, str], None]  # what is to be said of a value


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

    def line_at(self, number: int, place: Place) -> str:
        """The same for check_objects, to which this is the only object."""
        return self.line(*place)

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
            found += _parsed(path.read_text(), name)
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(
                f"--file {name} can't be read", found=_reason(error, path), do="Name a YAML file"
            ) from None
    return found


def _parsed(text: str, name: str) -> list[Document]:
    try:
        return parse(text, name)
    except InputError as error:
        if TEMPLATE.search(text):
            raise error.but(found=f"{error.explanation.found}. The file is a template", do=RENDER) from None
        raise


def check_rendered(document: Document) -> None:
    """Raises InputError for an object with a value that templating would fill in: nothing of it can be judged."""
    text = json.dumps(document.value)
    if not TEMPLATE.search(text):
        return
    place = next((place for place in document.lines if TEMPLATE.search(_shown(document.value, place))), ())
    raise InputError(
        f"{document.title} is a template", line=document.line(*place), found=_shown(document.value, place), do=RENDER
    )


def _shown(value: Any, place: Place) -> str:
    """The text at a place; '' where there is none."""
    for step in place:
        inside = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
        value = dict(inside).get(step)
    return value if isinstance(value, str) else ""


def _reason(error: OSError | UnicodeDecodeError, path: Path) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "It is not UTF-8"
    return "It is a folder" if path.is_dir() else (error.strerror or str(error))


def parse(text: str, source: str) -> list[Document]:
    """The objects of one YAML stream. Raises InputError."""
    found: list[Document] = []
    for value, node in read_stream(text, source):
        found += _objects(value, dict(_lines(node, source)) if node else {}, source)
    return found


def _lines(root: yaml.Node, source: str) -> Iterator[tuple[Place, int]]:
    """Every value's place and line: of a value in a mapping, that of its key."""
    for node, place in values(root, source):
        if not place:
            yield place, node.start_mark.line + 1
        if isinstance(node, yaml.MappingNode):
            for key, _ in node.value:
                if isinstance(key, yaml.ScalarNode):
                    yield (*place, key.value), key.start_mark.line + 1
        elif isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                yield (*place, index), item.start_mark.line + 1


def _objects(value: Any, lines: Mapping[Place, int], source: str) -> Iterator[Document]:
    if value is None:
        return
    kind = value.get("kind") if isinstance(value, dict) else ""
    if isinstance(kind, str) and kind.endswith("List") and isinstance(value.get("items", []), list):
        # the API names kind and version there, and not again in each of its items
        named = {"apiVersion": value.get("apiVersion"), "kind": kind.removesuffix("List")} if kind != "List" else {}
        for index, item in enumerate(value.get("items", [])):
            start: Place = ("items", index)
            own = {place[2:]: line for place, line in lines.items() if place[:2] == start}
            yield from _objects(named | item if isinstance(item, dict) else item, own, source)
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
