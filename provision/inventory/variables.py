"""A host's variables, evaluated when they are asked for: Jinja inside, with errors for cycles and missing names."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from provision.errors import ProvisionError
from provision.inventory.evaluation_errors import OmittedError, cycle, explained
from provision.inventory.extravars import Loose, firm
from provision.inventory.layers import Path
from provision.inventory.lazy import LazyDict, LazyList, again
from provision.inventory.vault import Sealed
from provision.secret import HIDDEN, Secret, bare, record, secret, shown, tracking
from provision.templating.marks import is_template

Explain = Callable[[Exception], ProvisionError]


@dataclass(frozen=True)
class Open:
    """A list or mapping that a text gave, not evaluated inside."""

    value: Any


class Evaluator:
    """Renders the texts of one inventory's variables; knows which of them it is in the middle of."""

    def __init__(self) -> None:
        self._local = threading.local()
        self._compiled: dict[str, Callable[[Mapping[str, Any]], Any]] = {}

    @cached_property
    def _environment(self) -> Any:
        from provision.templating.native import NativeEnvironment

        return NativeEnvironment()

    def render(self, text: str, scope: Scope, path: Path, *, whole: bool = True) -> Any:
        """What `text`, the value at `path`, stands for in `scope`, as plain data: a secret when it uses one.

        whole: without it, a list or mapping that uses no secret is an Open, in which nothing is evaluated yet.
        Raises UnsetError for a name that is not there, OmittedError, and InputError for everything else.
        """
        from provision.templating import native

        with self._entered(scope, path), tracking() as seen:

            def explain(error: Exception) -> ProvisionError:
                return explained(error, scope, path, text, seen)

            try:
                made = self._made(text, scope)
                if not whole and isinstance(made, (Mapping, list)) and not seen:
                    return Open(_placed(made, explain))
                value = native.settled(made)
                return secret(value) if seen or isinstance(text, Secret) else value
            except Exception as error:
                raise explain(error) from None

    def _made(self, text: str, scope: Scope) -> Any:
        from provision.templating import native

        if text not in self._compiled:
            self._compiled[text] = native.compile_text(self._environment, text)
        return self._compiled[text](View(scope))

    @contextmanager
    def _entered(self, scope: Scope, path: Path) -> Iterator[None]:
        stack: list[tuple[Scope, Path]] = self._local.__dict__.setdefault("stack", [])
        if (scope, path) in stack:
            raise cycle([*stack[stack.index((scope, path)) :], (scope, path)])
        stack.append((scope, path))
        try:
            yield
        finally:
            stack.pop()


class Scope:
    """One host's variables. host: its name; raw: values as written; magic: names that every host has.

    origin(path) is the `file:line` of a value as written.
    """

    def __init__(
        self,
        host: str,
        raw: Mapping[str, Any],
        magic: Mapping[str, Any],
        origin: Callable[[Path], str],
        evaluator: Evaluator,
    ) -> None:
        self.host = host
        self.origin = origin
        self._raw = raw
        self._magic = magic
        self._evaluator = evaluator
        self._done: dict[Path, Any] = {}
        self._lazy: dict[Path, Any] = {}

    def names(self) -> Iterator[str]:
        """Every variable that is set. The magic ones are not among them: `hostvars` would hold itself."""
        return iter(self._raw)

    def all_names(self) -> tuple[str, ...]:
        """Every name that a template may use."""
        return (*self._raw, *self._magic)

    def has(self, name: object) -> bool:
        """Whether the variable is set, or magic."""
        return name in self._raw or name in self._magic

    def value(self, name: str) -> Any:
        """The variable as plain data. Raises KeyError when it isn't set, InputError when it can't be evaluated."""
        if name in self._magic:
            return self._magic[name]
        return self._value((name,), self._raw[name])

    def readable(self, name: str) -> Any:
        """The variable for a person: what is secret is not shown, nor opened for that. Raises as `value` does."""
        return self._magic[name] if name in self._magic else self._readable((name,), self._raw[name])

    def _readable(self, path: Path, raw: Any) -> Any:
        if isinstance(raw, dict):
            return {key: self._readable((*path, key), item) for key, item in raw.items()}
        if isinstance(raw, list):
            return [self._readable((*path, place), item) for place, item in enumerate(raw)]
        return HIDDEN if isinstance(raw, (Sealed, Secret)) else shown(self._value(path, raw))

    def look(self, path: Path, raw: Any) -> Any:
        """The value at `path` as Jinja sees it: lists and mappings lazy, what can't be had as a Marker."""
        if isinstance(raw, dict):
            return LazyDict(raw, lambda key, item: self.look((*path, key), item))
        if isinstance(raw, list):
            return LazyList(raw, lambda place, item: self.look((*path, place), item))
        from provision.templating import native

        try:
            return self._opened(path, raw) if _is_open(raw) else _open(self._value(path, raw))
        except OmittedError:
            return native.OMIT
        except ProvisionError as error:
            return native.failure(error)

    def _opened(self, path: Path, raw: str) -> Any:
        if path not in self._lazy:
            self._lazy[path] = self._evaluator.render(raw, self, path, whole=False)
        found = self._lazy[path]
        return again(found.value) if isinstance(found, Open) else _open(record(found))

    def named(self, name: str) -> Any:
        """The variable as Jinja sees it. Raises KeyError when it isn't set."""
        if name == "vars" and name not in self._raw:
            return View(self)
        return self.look((name,), self._magic[name] if name in self._magic else self._raw[name])

    def _value(self, path: Path, raw: Any) -> Any:
        if not _is_templated(raw):
            return record(raw)
        if path not in self._done:
            self._done[path] = self._evaluate(path, raw)
        return record(self._done[path])

    def _evaluate(self, path: Path, raw: Any) -> Any:
        if isinstance(raw, dict):
            return dict(self._items(path, raw.items()))
        if isinstance(raw, list):
            return [value for _, value in self._items(path, enumerate(raw))]
        if isinstance(raw, Sealed):
            return raw.open()
        value = self._evaluator.render(raw, self, path)
        loose = isinstance(raw, Loose) and isinstance(value, str) and not isinstance(value, Secret)
        return Loose(value) if loose else value

    def _items(self, path: Path, items: Iterable[tuple[Any, Any]]) -> Iterator[tuple[Any, Any]]:
        for key, item in items:
            with suppress(OmittedError):
                yield key, self._value((*path, key), item)


class View(Mapping[str, Any]):
    """A scope as a template sees it: each variable is evaluated when it is used."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def __getitem__(self, name: str) -> Any:
        return self._scope.named(name)

    def __iter__(self) -> Iterator[str]:
        return self._scope.names()

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Variables(Mapping[str, Any]):
    """All variables of a host as plain data, each evaluated when it is asked for; lists those that are set."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def __getitem__(self, name: str) -> Any:
        return firm(self._scope.value(name))

    def __contains__(self, name: object) -> bool:
        return self._scope.has(name)

    def __iter__(self) -> Iterator[str]:
        return self._scope.names()

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _is_templated(raw: Any) -> bool:
    """Whether there is something to evaluate in it, or to open."""
    if isinstance(raw, Sealed):
        return True
    if isinstance(raw, str):
        return is_template(raw)
    if isinstance(raw, dict):
        return any(map(_is_templated, raw.values()))
    return isinstance(raw, list) and any(map(_is_templated, raw))


def _is_open(raw: Any) -> bool:
    """Whether it is a text whose list or mapping another text may use without evaluating all of it."""
    return isinstance(raw, str) and not isinstance(raw, (Loose, Secret)) and is_template(raw)


def _placed(value: Any, explain: Explain) -> Any:
    """What can't be had inside says where it is written, and not where it is used."""
    from provision.templating import native

    if type(value) is dict:
        return {key: _placed(item, explain) for key, item in value.items() if item is not native.OMIT}
    if type(value) is list:
        return [_placed(item, explain) for item in value if item is not native.OMIT]
    return value.but(explain) if isinstance(value, native.Marker) else value


def _open(value: Any) -> Any:
    """`value` as a template works on it: a copy, and what is secret in it plain. That it was used is on record."""
    if isinstance(value, dict):
        return {key: _open(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_open(item) for item in value]
    return bare(value)
