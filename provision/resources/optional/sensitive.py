"""Secrets: which fields may hold one, and how a resource protects what it writes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, ClassVar, Self

from provision.errors import InputError
from provision.resources.base import Resource
from provision.secret import Redactor, Secret


@dataclass(frozen=True, kw_only=True)
class Sensitive(Resource):
    """A resource that can write a secret to the host without showing it to other users.

    secret_fields: the fields that may hold one. A secret in any other field is an error for every resource.
    """

    secret_fields: ClassVar[frozenset[str]]

    @property
    @abstractmethod
    def contents(self) -> tuple[bytes, ...]:
        """What is written to the host: searched for secrets before anything of the change is recorded there."""

    @abstractmethod
    def protected(self, redactor: Redactor) -> Self:
        """The same resource, which protects the secrets that `redactor` finds in it. Raises InputError if it can't."""

    @property
    def without_contents(self) -> Self:
        """The same resource without what a journal must not, or need not, record."""
        return self


def protect(resource: Resource, redactor: Redactor) -> Resource:
    """A rendered resource that protects the secrets that its role has seen.

    Raises InputError for a secret where every user of the host would see it: in a command, a path or a URL.
    """
    allowed = resource.secret_fields if isinstance(resource, Sensitive) else frozenset()
    for each in fields(resource):
        texts = () if each.name in allowed else _texts(getattr(resource, each.name))
        if any(isinstance(text, Secret) or redactor.finds(text) for text in texts):
            raise InputError(
                f"{resource.key}: there is a secret in its {each.name}",
                found="Every user of the host would see it",
                do="Let the program read it from a File; if it is no secret, keep it out of the vault",
            )
    return resource.protected(redactor) if isinstance(resource, Sensitive) else resource


def contents_of(resource: Resource) -> tuple[bytes, ...]:
    """What any resource writes that could hold a secret."""
    return resource.contents if isinstance(resource, Sensitive) else ()


def world_readable(mode: str) -> bool:
    """Whether every user of the host may read what has this mode (octal digits)."""
    return bool(int(mode, 8) & 0o004)


def _texts(value: Any) -> Iterator[str | bytes]:
    """Every text in a field's value. Other resources in it are checked by themselves."""
    if isinstance(value, (str, bytes)):
        yield value
    elif isinstance(value, Mapping):
        yield from _texts([*value, *value.values()])
    elif isinstance(value, (list, tuple, set, frozenset)):
        for item in value:
            yield from _texts(item)
    elif is_dataclass(value) and not isinstance(value, Resource):
        yield from _texts([getattr(value, each.name) for each in fields(value)])
