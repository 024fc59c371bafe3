"""One host's variables as layers, weakest first: which value wins, and where it was written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Path = tuple[Any, ...]


@dataclass(frozen=True)
class Layer:
    """Variables written together. line: `file:line` of a path in them, "" if it isn't there.

    patch: they are single keys (`--extra-vars edge.domain=x`) and change nothing beside them.
    """

    values: Mapping[str, Any]
    line: Callable[[Sequence[object]], str] = field(repr=False, compare=False)
    patch: bool = False


def merge(layers: Iterable[Layer], namespaces: frozenset[str]) -> dict[str, Any]:
    """The value of each variable. Namespaces are merged key by key; every other variable is replaced whole."""
    merged: dict[str, Any] = {}
    for layer in layers:
        for name, value in layer.values.items():
            if name in merged and (layer.patch or name in namespaces):
                # `edge:` with nothing under it says nothing, and so takes nothing away.
                merged[name] = merged[name] if value is None else _overlay(merged[name], value)
            else:
                merged[name] = value
    return merged


def origin(layers: Sequence[Layer], namespaces: frozenset[str], path: Path) -> str:
    """`file:line` of the layer that set the value at `path`; "" when none did."""
    for layer in reversed(layers):
        if path[0] not in layer.values:
            continue
        line = layer.line(path)
        if line or not (layer.patch or path[0] in namespaces):
            return line
    return ""


def _overlay(below: Any, above: Any) -> Any:
    if not isinstance(below, Mapping) or not isinstance(above, Mapping):
        return above
    return {
        **below,
        **{key: _overlay(below[key], above[key]) if key in below else above[key] for key in above},
    }
