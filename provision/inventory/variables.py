"""A host's variables, evaluated when they are asked for: Jinja inside, with errors for cycles and missing names."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from provision.errors import InputError, ProvisionError
from provision.inventory.extravars import Loose, firm
from provision.inventory.layers import Path
from provision.inventory.vault import Sealed
from provision.secret import HIDDEN, Redactor, Secret, record, secret, shown, tracking
from provision.spelling import suggestion


class Evaluator:
    """Renders the texts of one inventory's variables; knows which of them it is in the middle of."""

    def __init__(self) -> None:
        self._local = threading.local()
        self._compiled: dict[str, Callable[[Mapping[str, Any]], Any]] = {}

    @cached_property
    def _environment(self) -> Any:
        from provision.templating.environment import environment

        return environment()

    def render(self, text: str, scope: Scope, path: Path) -> Any:
        """What `text`, the value at `path`, stands for in `scope`: a secret when it uses one. Raises InputError."""
        from provision.templating.environment import MissingNameError, TemplateError, compile_text

        with self._entered(scope, path), tracking() as seen:
            try:
                if text not in self._compiled:
                    self._compiled[text] = compile_text(self._environment, text)
                value = self._compiled[text](View(scope, (), {}))
                return secret(value) if seen or isinstance(text, Secret) else value
            except ProvisionError:
                raise
            except MissingNameError as error:
                candidates = error.candidates or scope.all_names()
                found = f"'{error.name}' is not set" if error.name else str(error)
                raise _bad(scope, path, text, seen, found, suggestion(error.name, candidates)) from None
            except TemplateError as error:
                raise _bad(scope, path, text, seen, str(error), f"The text is: {text.strip()}") from None
            except Exception as error:  # a filter or an operator met a value that it can't work on
                found = f"{type(error).__name__}: {error}"
                raise _bad(scope, path, text, seen, found, f"The text is: {text.strip()}") from None

    @contextmanager
    def _entered(self, scope: Scope, path: Path) -> Iterator[None]:
        stack: list[tuple[Scope, Path]] = self._local.__dict__.setdefault("stack", [])
        if (scope, path) in stack:
            raise _cycle([*stack[stack.index((scope, path)) :], (scope, path)])
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
        """The value at `path` as Jinja sees it: a mapping stays lazy, so that `site.a` may use `site.b`."""
        return View(self, path, raw) if isinstance(raw, dict) and _is_templated(raw) else self._value(path, raw)

    def named(self, name: str) -> Any:
        """The variable as Jinja sees it. Raises KeyError when it isn't set."""
        return self._magic[name] if name in self._magic else self.look((name,), self._raw[name])

    def _value(self, path: Path, raw: Any) -> Any:
        if not _is_templated(raw):
            return record(raw)
        if path not in self._done:
            self._done[path] = self._evaluate(path, raw)
        return record(self._done[path])

    def _evaluate(self, path: Path, raw: Any) -> Any:
        if isinstance(raw, dict):
            return {key: self._value((*path, key), item) for key, item in raw.items()}
        if isinstance(raw, list):
            return [self._value((*path, place), item) for place, item in enumerate(raw)]
        if isinstance(raw, Sealed):
            return raw.open()
        value = self._evaluator.render(raw, self, path)
        loose = isinstance(raw, Loose) and isinstance(value, str) and not isinstance(value, Secret)
        return Loose(value) if loose else value


class View(Mapping[Any, Any]):
    """A mapping in a scope, evaluated key by key; with the empty path, the scope itself."""

    def __init__(self, scope: Scope, path: Path, raw: Mapping[Any, Any]) -> None:
        self._scope = scope
        self._path = path
        self._raw = raw

    def __getitem__(self, key: Any) -> Any:
        if not self._path:
            return self._scope.named(key)
        return self._scope.look((*self._path, key), self._raw[key])

    def __iter__(self) -> Iterator[Any]:
        return iter(self._raw) if self._path else self._scope.names()

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


def dotted(path: Path) -> str:
    """A path as a person writes it: `site.hosts.0`."""
    return ".".join(map(str, path))


def _is_templated(raw: Any) -> bool:
    """Whether there is something to evaluate in it, or to open."""
    if isinstance(raw, Sealed):
        return True
    if isinstance(raw, str):
        return "{{" in raw or "{%" in raw
    if isinstance(raw, dict):
        return any(map(_is_templated, raw.values()))
    return isinstance(raw, list) and any(map(_is_templated, raw))


def _bad(scope: Scope, path: Path, text: str, seen: set[Any], found: str, do: str) -> InputError:
    """Why the `text` of a variable can't be evaluated, without the secrets that it uses or that it is."""
    redactor = Redactor(seen)
    if isinstance(text, Secret):
        found, do = "Its text is secret, and not shown", "Look for a mistake in its Jinja."
    return InputError(
        f"the variable '{dotted(path)}' can't be evaluated",
        host=scope.host,
        line=scope.origin(path),
        found=redactor.cleaned(found),
        do=redactor.cleaned(do),
    )


def _cycle(chain: list[tuple[Scope, Path]]) -> InputError:
    scope, path = chain[0]
    several = len({each.host for each, _ in chain}) > 1
    links = [(f"{each.host}: " if several else "") + f"{dotted(at)} ({each.origin(at)})" for each, at in chain]
    return InputError(
        f"the variable '{dotted(path)}' needs itself",
        host=scope.host,
        line=scope.origin(path),
        found=" → ".join(links),
        do="Break the circle: write one of the values out.",
    )
