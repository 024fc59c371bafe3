"""Filters and tests by their short and their full names; what is not among them fails with advice when it is used."""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterator, KeysView, Mapping, ValuesView
from typing import Any

from jinja2 import TemplateError

from provision.spelling import suggestion
from provision.templating.refused import advice
from provision.templating.undefined import failure, marker_among, takes_markers

Plugin = Callable[..., Any]
_PREFIXES = ("ansible.builtin.", "ansible.legacy.")


class UnknownPluginError(TemplateError):
    """A template used a filter, test or lookup that there is not. do: what to do instead."""

    def __init__(self, kind: str, name: str, do: str) -> None:
        super().__init__(f"there is no {kind} '{name}'")
        self.do = do


class Plugins(dict[str, Plugin]):
    """What Jinja looks filters (or tests) up in. refused: advice for those that are known and not had."""

    def __init__(self, kind: str, plugins: Mapping[str, Plugin], refused: Mapping[str, str]) -> None:
        super().__init__({name: guarded(plugin) for name, plugin in plugins.items()})
        self._kind = kind
        self._refused = refused

    def __missing__(self, name: str) -> Plugin:
        if name in self:
            return self[short(name)]

        @takes_markers
        def fail(*_: Any, **__: Any) -> Any:
            raise UnknownPluginError(self._kind, name, suggestion(name, self) or advice(name, self._refused))

        return guarded(fail)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and super().__contains__(short(name))

    def get(self, name: str, default: Any = None) -> Any:
        """As `self[name]`: nothing is ever not there, so that a branch that is not taken does not fail."""
        return self[name]


def short(name: str) -> str:
    """`ansible.builtin.b64encode` as `b64encode`."""
    return next((name[len(prefix) :] for prefix in _PREFIXES if name.startswith(prefix)), name)


def guarded(plugin: Plugin) -> Plugin:
    """`plugin` that hands a Marker on, makes one of its failures, and gives lists for iterators."""

    def call(*args: Any, **kwargs: Any) -> Any:
        marker = marker_among(plugin, args, kwargs)
        if marker is not None:
            return marker
        try:
            return listed(plugin(*args, **kwargs))
        except Exception as error:  # whatever a value can make of it: it matters only if the result is used
            return failure(error)

    passed = getattr(plugin, "jinja_pass_arg", None)
    if passed is not None:
        call.jinja_pass_arg = passed  # type: ignore[attr-defined]  # how Jinja marks what wants its environment
    return call


def listed(value: Any) -> Any:
    """`value`, or what it iterates over."""
    return list(value) if isinstance(value, (Iterator, KeysView, ValuesView, ItemsView)) else value
