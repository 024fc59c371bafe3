"""Where a value of a manifest is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any


def line_of(text: str, number: int, place: tuple[str | int, ...]) -> int:
    """The line of a value, or of what it would be in; 0 where the text has no such object.

    number: of the object in the stream, `List`s unfolded, from 0. place: ("spec", "rules", 0, "matches").
    """
    import yaml

    try:
        node = next(each for at, each in enumerate(_objects(text)) if at == number)
    except (StopIteration, yaml.YAMLError):
        return 0
    line = node.start_mark.line
    for step in place:
        inside = _inside(node, step)
        if inside is None:
            break
        node, line = inside
    return int(line) + 1


def _objects(text: str) -> Iterator[Any]:
    import yaml

    for document in yaml.compose_all(text, yaml.SafeLoader):
        kind, items = _inside(document, "kind"), _inside(document, "items")
        listed = kind is not None and getattr(kind[0], "value", "") == "List"
        if listed:
            yield from items[0].value if items else ()
        elif document is not None and getattr(document, "value", None):
            yield document


def _inside(node: Any, step: str | int) -> tuple[Any, int] | None:
    """A part of a node, and the line at which it begins: that of its key in a mapping."""
    import yaml

    if isinstance(node, yaml.MappingNode):
        return next(((value, key.start_mark.line) for key, value in node.value if key.value == step), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step].start_mark.line
    return None


def lines_of(text: str, source: str) -> Callable[[int, tuple[str | int, ...]], str]:
    """`source:line` of a value of an object, for check_objects; the source alone where `text` is ''."""

    def line(number: int, place: tuple[str | int, ...]) -> str:
        found = line_of(text, number, place)
        return f"{source}:{found}" if found else source

    return line
