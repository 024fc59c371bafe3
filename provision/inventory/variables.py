"""A host's variables, evaluated when they are asked for: Jinja inside, with errors for cycles and missing names."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import Any

from provision.errors import InputError, ProvisionError, UnsetError
from provision.inventory.extravars import Loose, firm
from provision.inventory.layers import Path
from provision.inventory.lazy import LazyDict, LazyList
from provision.inventory.vault import Sealed
from provision.secret import HIDDEN, LEAST, Redactor, Secret, bare, record, secret, shown, tracking
from provision.spelling import suggestion
from provision.templating.marks import is_template

# Ansible's names of a run that don't begin with ansible_.
_OF_A_RUN = frozenset({"environment", "item", "play_hosts", "role_name", "role_path"})


class OmittedError(InputError):
    """The whole of a variable, or of an item in it, is Ansible's `omit`."""


class Evaluator:
    """Renders the texts of one inventory's variables; knows which of them it is in the middle of."""

    def __init__(self) -> None:
        self._local = threading.local()
        self._compiled: dict[str, Callable[[Mapping[str, Any]], Any]] = {}

    @cached_property
    def _environment(self) -> Any:
        from provision.templating.native import NativeEnvironment

        return NativeEnvironment()

    def render(self, text: str, scope: Scope, path: Path) -> Any:
        """What `text`, the value at `path`, stands for in `scope`: a secret when it uses one.

        Raises UnsetError for a name that is not there, OmittedError, and InputError for everything else.
        """
        from provision.templating import native

        with self._entered(scope, path), tracking() as seen:
            try:
                if text not in self._compiled:
                    self._compiled[text] = native.compile_text(self._environment, text)
                value = self._compiled[text](View(scope))
                return secret(value) if seen or isinstance(text, Secret) else value
            except ProvisionError as error:
                raise error.at(host=scope.host, line=scope.origin(path)) from None
            except native.OmittedError:
                raise _omitted(scope, path) from None
            except native.MissingNameError as error:
                found = f"'{error.name}' is not set" if error.name else str(error)
                do = _advice(error.name, error.candidates or scope.all_names())
                raise UnsetError(**_bad(scope, path, text, seen, found, do)) from None
            except Exception as error:  # what Jinja can't read, and a filter or operator with a value it can't work on
                do = getattr(error, "do", "") or f"The text is: {text.strip()}"
                found = _told(error, isinstance(error, native.TemplateError))
                raise InputError(**_bad(scope, path, text, seen, found, do)) from None

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
        """The value at `path` as Jinja sees it: lists and mappings lazy, what can't be had as a Marker."""
        if isinstance(raw, dict):
            return LazyDict(raw, lambda key, item: self.look((*path, key), item))
        if isinstance(raw, list):
            return LazyList(raw, lambda place, item: self.look((*path, place), item))
        from provision.templating import native

        try:
            return _open(self._value(path, raw))
        except OmittedError:
            return native.OMIT
        except ProvisionError as error:
            return native.failure(error)

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


def dotted(path: Path) -> str:
    """A path as a person writes it: `site.hosts.0`."""
    return ".".join(map(str, path))


def _is_templated(raw: Any) -> bool:
    """Whether there is something to evaluate in it, or to open."""
    if isinstance(raw, Sealed):
        return True
    if isinstance(raw, str):
        return is_template(raw)
    if isinstance(raw, dict):
        return any(map(_is_templated, raw.values()))
    return isinstance(raw, list) and any(map(_is_templated, raw))


def _open(value: Any) -> Any:
    """`value` as a template works on it: a copy, and what is secret in it plain. That it was used is on record."""
    if isinstance(value, dict):
        return {key: _open(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_open(item) for item in value]
    return bare(value)


def _told(error: Exception, plainly: bool) -> str:
    """What `error` says, on one line; plainly: without its kind."""
    kind = type(error).__name__
    try:
        return " ".join((str(error) if plainly else f"{kind}: {error}").split())
    except Exception:  # it quotes a value that can't be had
        return kind


def _advice(name: str, candidates: Iterable[str]) -> str:
    """What to do about a name that is not set."""
    if suggested := suggestion(name, candidates):
        return suggested
    if name.startswith("ansible_") or name in _OF_A_RUN:
        return "What Ansible finds out on a host or knows of its run is not there: set it in the inventory."
    return ""


def _bad(scope: Scope, path: Path, text: str, seen: set[Any], found: str, do: str) -> dict[str, str]:
    """Why the `text` of a variable can't be evaluated, without the secrets that it uses or that it is."""
    redactor = Redactor(seen)
    if isinstance(text, Secret):
        found, do = "Its text is secret, and not shown", "Look for a mistake in its Jinja."
    elif any(len(str(value).strip()) < LEAST for value in seen):  # too short to be found in a message
        found = "It uses a secret, so what went wrong is not shown"
    return {
        "what": f"the variable '{dotted(path)}' can't be evaluated",
        "host": scope.host,
        "line": scope.origin(path),
        "found": redactor.cleaned(found),
        "do": redactor.cleaned(do),
    }


def _omitted(scope: Scope, path: Path) -> OmittedError:
    return OmittedError(
        f"the variable '{dotted(path)}' is 'omit'",
        host=scope.host,
        line=scope.origin(path),
        found="It leaves out the argument of a module, and a variable has none",
        do="Write the value that is meant, or leave the variable out.",
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
