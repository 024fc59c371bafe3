"""What a file can hold, and how a template becomes text."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Template:
    """A file's content, rendered from `templates/<source>` for the host with these variables added."""

    source: str
    variables: dict[str, Any] = field(default_factory=dict, hash=False)

    def __init__(self, source: str, **variables: Any) -> None:
        object.__setattr__(self, "source", source)
        object.__setattr__(self, "variables", variables)


@dataclass(frozen=True)
class Rendered:
    """Text that a role has rendered itself, of a file that a setting names.

    text: the outcome. file: what was rendered; source: the same as a person reads it. setting: the one that names it,
    ("apps", "shop", "manifests"). names: what the file calls settings by, {"app": ("apps", "shop")}.
    """

    text: str = field(repr=False)
    file: Path
    source: str
    setting: tuple[str, ...]
    names: dict[str, tuple[str, ...]] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Pending:
    """Content that does not exist yet; `until` says what creates it, as the plan prints it."""

    until: str


Content = str | bytes | Path | Template | Pending
