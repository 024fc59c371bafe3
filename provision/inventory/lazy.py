"""Lists and mappings of variables as a template sees them: each item is evaluated when it is used.

They are the template's own: what it appends or sets (`{% set _ = x.append(1) %}`) is seen by nobody else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

Look = Callable[[Any, Any], Any]  # a key, or a place in a list, and what is written there: the value


class LazyDict(dict[Any, Any]):
    """A mapping; `look(key, raw)` gives a value, and never raises."""

    def __init__(self, raw: dict[Any, Any], look: Look) -> None:
        super().__init__(raw)
        self.__look = look
        self.__open = set(raw)

    def __getitem__(self, key: Any) -> Any:
        if key in self.__open:
            self[key] = self.__look(key, super().__getitem__(key))
        return super().__getitem__(key)

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key, value)
        self.__open.discard(key)

    def get(self, key: Any, default: Any = None) -> Any:
        """The value, or `default`."""
        return self[key] if key in self else default  # noqa: SIM401  # that one is this one

    def __iter__(self) -> Iterator[Any]:
        return super().__iter__()  # that it is here keeps `dict(x)` and `{**x}` from copying what is not evaluated

    def settle(self) -> None:
        """Evaluate all of it."""
        for key in list(self):
            if key in self.__open:
                self[key]

    def twin(self) -> LazyDict:
        """A copy that evaluates as late."""
        made = LazyDict({key: again(super(LazyDict, self).__getitem__(key)) for key in self}, self.__look)
        made.__open = set(self.__open)
        return made


class LazyList(list[Any]):
    """A list; `look(place, raw)` gives an item, and never raises."""

    def __init__(self, raw: list[Any], look: Look) -> None:
        super().__init__(raw)
        self.__look = look
        self.__open = set(range(len(raw)))

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            self.settle()
        elif self.__open and isinstance(place, int):
            at = place + len(self) if place < 0 else place
            if at in self.__open:
                list.__setitem__(self, at, self.__look(at, super().__getitem__(at)))
                self.__open.discard(at)
        return super().__getitem__(place)

    def settle(self) -> None:
        """Evaluate all of it."""
        for place in sorted(self.__open):
            self[place]

    def twin(self) -> LazyList:
        """A copy that evaluates as late."""
        made = LazyList([again(super(LazyList, self).__getitem__(place)) for place in range(len(self))], self.__look)
        made.__open = set(self.__open)
        return made

    def __radd__(self, other: list[Any]) -> list[Any]:
        return other + list(self)


def again(value: Any) -> Any:
    """A copy of what a template gave, for another template: neither sees what the other changes in it."""
    if isinstance(value, (LazyDict, LazyList)):
        return value.twin()
    if isinstance(value, dict):
        return {key: again(item) for key, item in value.items()}
    return [again(item) for item in value] if isinstance(value, list) else value


def _settling(kind: Any, name: str) -> None:
    """Make a method of `kind`'s base evaluate everything first, in the other one too (`a + b`): those of C look inside
    without asking."""
    base = getattr(kind.__base__, name)

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        for each in (self, *args):
            if isinstance(each, (LazyDict, LazyList)):
                each.settle()
        return base(self, *args, **kwargs)

    setattr(kind, name, method)


for _name in ("__eq__", "__ne__", "__or__", "__ror__", "__repr__", "copy", "items", "pop", "popitem", "setdefault"):
    _settling(LazyDict, _name)
for _name in ("update", "values", "clear", "__ior__", "__delitem__"):
    _settling(LazyDict, _name)
for _name in (
    "__add__",
    "__contains__",
    "__delitem__",
    "__eq__",
    "__ge__",
    "__gt__",
    "__iadd__",
    "__imul__",
    "__iter__",
):
    _settling(LazyList, _name)
for _name in ("__le__", "__lt__", "__mul__", "__ne__", "__repr__", "__reversed__", "__rmul__", "__setitem__", "append"):
    _settling(LazyList, _name)
for _name in ("clear", "copy", "count", "extend", "index", "insert", "pop", "remove", "reverse", "sort"):
    _settling(LazyList, _name)
