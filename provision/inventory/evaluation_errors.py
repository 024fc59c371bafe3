"""Why a variable can't be evaluated, as a person reads it: host, file and line, what was found, what to do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from provision.errors import InputError, ProvisionError, UnsetError
from provision.inventory.layers import Path
from provision.secret import LEAST, Redactor, Secret
from provision.spelling import clipped, suggestion

# Ansible's names of a run that don't begin with ansible_.
_OF_A_RUN = frozenset({"environment", "item", "play_hosts", "role_name", "role_path"})


class OmittedError(InputError):
    """The whole of a variable, or of an item in it, is Ansible's `omit`."""


class Scope(Protocol):
    """The variables among which it was evaluated."""

    host: str

    def origin(self, path: Path, /) -> str: ...

    def all_names(self) -> Iterable[str]: ...


def dotted(path: Path) -> str:
    """A path as a person writes it: `site.hosts.0`."""
    return ".".join(map(str, path))


def explained(error: Exception, scope: Scope, path: Path, text: str, seen: set[Any]) -> ProvisionError:
    """Why the `text` at `path` can't be evaluated, without the secrets (`seen`) that it uses or that it is."""
    from provision.templating import native

    if isinstance(error, ProvisionError):
        return error.at(host=scope.host, line=scope.origin(path))
    if isinstance(error, native.OmittedError):
        return _omitted(scope, path)
    if isinstance(error, native.MissingNameError):
        found = f"'{error.name}' is not set" if error.name else str(error)
        do = _advice(error.name, error.candidates or scope.all_names())
        return UnsetError(**_bad(scope, path, text, seen, found, do))
    # what Jinja can't read, and a filter or operator with a value that it can't work on
    do = getattr(error, "do", "") or f"The text is: {clipped(text.strip(), 300)}"
    return InputError(**_bad(scope, path, text, seen, _told(error, isinstance(error, native.TemplateError)), do))


def _told(error: Exception, plainly: bool) -> str:
    """What `error` says, on one line; plainly: without its kind."""
    kind = type(error).__name__
    try:
        return clipped(" ".join((str(error) if plainly else f"{kind}: {error}").split()), 300)
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


def cycle(chain: list[tuple[Scope, Path]]) -> InputError:
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
