"""Names that are not there, and failures, as values: Jinja hands them on, and they raise when something uses them.

So `default()` sees what is missing, also below a missing parent, and what nobody uses never fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from itertools import chain
from typing import Any, Self, TypeVar

from jinja2 import StrictUndefined, UndefinedError
from jinja2.utils import missing

from provision.errors import UnsetError

_F = TypeVar("_F", bound=Callable[..., Any])


class MissingNameError(UndefinedError):
    """A template used `name`, which isn't there. candidates: the names that are."""

    def __init__(self, message: str, name: str, candidates: tuple[str, ...]) -> None:
        super().__init__(message)
        self.name = name
        self.candidates = candidates


class Marker(StrictUndefined):
    """Stands for a value that can't be had, and for everything below it. Raises when it is used."""

    def __init__(self, hint: str | None = None, obj: Any = missing, name: Any = None, *_: Any, **__: Any) -> None:
        keys = tuple(map(str, obj)) if isinstance(obj, Mapping) else ()
        known = name if isinstance(name, str) and not hint and (obj is missing or keys) else ""
        failure: Any = partial(MissingNameError, name=known, candidates=keys)
        super().__init__(hint, obj, name, failure)

    @classmethod
    def of(cls, error: Exception) -> Self:
        """What raises `error` when it is used."""
        made = cls()
        made._undefined_exception = lambda _: error  # type: ignore[assignment]  # a function serves as well as a class
        return made

    def but(self, told: Callable[[Exception], Exception]) -> Marker:
        """The same with another error: `told` gives it."""
        try:
            str(self)
        except Exception as error:
            return type(self).of(told(error))
        return self

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __getitem__(self, key: Any) -> Any:
        return self

    def __repr__(self) -> str:
        return str(self)  # raises: the text of a list with this in it is no text


class Missing(Marker):
    """Stands for a name that isn't there: `default()` replaces it."""


class Failure(Marker):
    """Stands for a value whose making failed: nothing replaces it."""


def failure(error: Exception) -> Marker:
    """`error` as a value."""
    return (Missing if isinstance(error, (MissingNameError, UnsetError)) else Failure).of(error)


def takes_markers(function: _F) -> _F:
    """Says of a filter, test or function that it is called also when an argument is a Marker."""
    function.takes_markers = True  # type: ignore[attr-defined]
    return function


def marker_among(function: Any, args: Iterable[Any], kwargs: Mapping[str, Any]) -> Marker | None:
    """The first argument that can't be had, unless `function` takes such ones."""
    if getattr(function, "takes_markers", False):
        return None
    return next((each for each in chain(args, kwargs.values()) if isinstance(each, Marker)), None)
