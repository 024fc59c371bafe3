"""Secrets: marked where they come from, followed to where they go, shown nowhere.

Nothing is registered anywhere. A secret is a `Secret` as long as it is a value of its own; where a text is made with
one (a template, a variable that names it) the making is watched, and the text becomes a Secret too.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

HIDDEN = "(secret)"
LEAST = 4  # characters; a shorter value (a port, 'yes') would be found in every text

_WATCHES: ContextVar[tuple[set[Any], ...]] = ContextVar("watches", default=())


class Secret:
    """Mark of a value that is shown to nobody: its repr, and so an error or a log line that holds it, is HIDDEN."""

    __slots__ = ()

    def __repr__(self) -> str:
        return HIDDEN


class SecretText(Secret, str):
    """A text that is a secret."""

    __slots__ = ()


class SecretNumber(Secret, int):
    """A whole number that is a secret."""

    __slots__ = ()

    def __str__(self) -> str:
        return int.__repr__(self)


class SecretFraction(Secret, float):
    """A number that is a secret."""

    __slots__ = ()

    def __str__(self) -> str:
        return float.__repr__(self)


def secret(value: Any) -> Any:
    """`value` as a secret: a text or number, or everything inside a list or mapping. Yes, no and nothing stay plain."""
    if isinstance(value, Mapping):
        return {key: secret(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(map(secret, value))
    if isinstance(value, (Secret, bool)):
        return value
    kind = next((kind for plain, kind in _KINDS.items() if isinstance(value, plain)), None)
    return kind(value) if kind else value


def bare(value: Any) -> Any:
    """A text or number as an ordinary one: what was secret and is to be shown after all."""
    kind = next((plain for plain, kind in _KINDS.items() if isinstance(value, kind)), None)
    return kind(str(value)) if kind else value


_KINDS: Mapping[type, Any] = {str: SecretText, int: SecretNumber, float: SecretFraction}


def shown(value: Any) -> Any:
    """`value` with HIDDEN for every secret in it: what a person may see."""
    if isinstance(value, Mapping):
        return {key: shown(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [shown(item) for item in value]
    return HIDDEN if isinstance(value, Secret) else value


def secrets_in(value: Any, *, structs: bool = False) -> Iterator[Secret]:
    """The secrets in a value and in the lists and mappings inside it; structs: in settings (msgspec.Struct), too."""
    if isinstance(value, Secret):
        yield value
    elif type(value) in (list, tuple):  # not what is derived from them: to look at a lazy one would evaluate it
        for item in value:
            yield from secrets_in(item, structs=structs)
    elif type(value) is dict:
        for item in value.values():
            yield from secrets_in(item, structs=structs)
    elif structs:
        for name in getattr(value, "__struct_fields__", ()):
            yield from secrets_in(getattr(value, name), structs=True)


@contextmanager
def tracking() -> Iterator[set[Any]]:
    """Collects the secrets that are looked up in the block (by this thread), inner blocks included."""
    seen: set[Any] = set()
    token = _WATCHES.set((*_WATCHES.get(), seen))
    try:
        yield seen
    finally:
        _WATCHES.reset(token)


def record(value: Any) -> Any:
    """`value`, which was just looked up: the tracking blocks record the secrets in it."""
    watches = _WATCHES.get()
    if watches:
        found = tuple(secrets_in(value))
        for seen in watches:
            seen.update(found)
    return value


class Redactor:
    """Knows some secrets by value, so as to find them in a text that Python put together or that a program printed.

    Only the secrets that the text's maker has seen: 'prod' in one role's vault hides no other role's 'prod'. Values of
    fewer than LEAST characters are not looked for.
    """

    def __init__(self, secrets: Iterable[Any] = ()) -> None:
        forms = {form for value in secrets for form in _forms(str(value))}
        self._pattern = re.compile("|".join(map(_whole, sorted(forms, key=len, reverse=True)))) if forms else None

    def finds(self, text: str | bytes) -> bool:
        """Whether one of the secrets is in `text`."""
        if self._pattern is None:
            return False
        return bool(self._pattern.search(text.decode("utf-8", "replace") if isinstance(text, bytes) else text))

    def cleaned(self, text: str) -> str:
        """`text` with HIDDEN for every secret in it."""
        return self._pattern.sub(HIDDEN, text) if self._pattern else text

    def cleaned_all(self, parts: Mapping[str, str]) -> dict[str, str]:
        """The same for the parts of an error's explanation."""
        return {name: self.cleaned(text) for name, text in parts.items()}


NOTHING = Redactor()


def _forms(value: str) -> Collection[str]:
    """The ways in which a secret may stand in a text: as it is, one line of it, in base 64."""
    texts = (value.strip(), *(line.strip() for line in value.splitlines()), base64.b64encode(value.encode()).decode())
    return {text for text in texts if len(text) >= LEAST} if len(value.strip()) >= LEAST else ()


def _whole(form: str) -> str:
    """A short one counts only where it stands alone: 'root' is not in 'rootfs'."""
    pattern = re.escape(form)
    return pattern if len(form) >= 2 * LEAST else rf"(?<!\w){pattern}(?!\w)"
