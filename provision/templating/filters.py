"""The filters of Ansible that inventories and templates use most, beside those of Jinja2 itself."""

from __future__ import annotations

import base64
import json
import posixpath
import re
from collections.abc import Callable, Iterable, Mapping
from shlex import quote
from typing import Any

# One word of every configuration language that templates write, and nothing more in any of them.
_WORD = re.compile(r"[A-Za-z0-9._:/@*!+,~-]+")
_YES = frozenset({"yes", "on", "1", "true"})


def to_bool(value: Any) -> bool:
    """Ansible's `bool`: yes, on, 1 and true are true, everything else is false."""
    return value if isinstance(value, bool) else str(value).strip().lower() in _YES


def to_json(value: Any, indent: int | None = None) -> str:
    """`value` as JSON, keys in their order."""
    return json.dumps(value, indent=indent, default=dict)


def yaml(value: Any, indent: int | None = None) -> str:
    """`value` as YAML that no text in it can leave: JSON, with the only escapes that both languages have in common."""
    text = json.dumps(value, indent=indent, default=dict, ensure_ascii=False)
    return re.sub(r"[^\x20-\x7e\n]", lambda found: f"\\U{ord(found[0]):08x}", text)


def word(value: Any) -> str:
    """`value` where it has to be one word: for nginx, BIND, supervisord, systemd and other files without a safe quote.

    Raises ValueError for a text that could be more than a word there: the template fails, and nothing is changed.
    """
    text = str(value)
    if not _WORD.fullmatch(text):
        raise ValueError(f"{text!r} is more than one plain word")
    return text


def combine(*mappings: Mapping[Any, Any], recursive: bool = False) -> dict[Any, Any]:
    """Mappings joined, the later one wins; recursive: mappings inside are joined too."""
    joined: dict[Any, Any] = {}
    for mapping in mappings:
        for key, value in mapping.items():
            below = joined.get(key)
            if recursive and isinstance(below, Mapping) and isinstance(value, Mapping):
                joined[key] = combine(below, value, recursive=True)
            else:
                joined[key] = value
    return joined


def regex_replace(value: Any, pattern: str, replacement: str = "") -> str:
    """Every match of `pattern` in `value` replaced; \\1 stands for the first group."""
    return re.sub(pattern, replacement, str(value))


def ternary(value: Any, yes: Any, no: Any) -> Any:
    """`yes` when `value` is true, `no` otherwise."""
    return yes if value else no


def b64encode(value: Any) -> str:
    """The UTF-8 bytes of `value` in base 64."""
    return base64.b64encode(str(value).encode()).decode()


def b64decode(value: str) -> str:
    """The text that base 64 `value` stands for."""
    return base64.b64decode(value).decode()


def union(left: Iterable[Any], right: Iterable[Any]) -> list[Any]:
    """What is in either list, each once, in order."""
    return list(dict.fromkeys([*left, *right]))


def difference(left: Iterable[Any], right: Iterable[Any]) -> list[Any]:
    """What is in `left` and not in `right`, in order."""
    without = list(right)
    return [item for item in dict.fromkeys(left) if item not in without]


def intersect(left: Iterable[Any], right: Iterable[Any]) -> list[Any]:
    """What is in both lists, in the order of `left`."""
    other = list(right)
    return [item for item in dict.fromkeys(left) if item in other]


FILTERS: Mapping[str, Callable[..., Any]] = {
    "b64decode": b64decode,
    "b64encode": b64encode,
    "basename": posixpath.basename,
    "bool": to_bool,
    "combine": combine,
    "difference": difference,
    "dirname": posixpath.dirname,
    "intersect": intersect,
    "quote": quote,
    "regex_replace": regex_replace,
    "split": str.split,
    "ternary": ternary,
    "to_json": to_json,
    "union": union,
    "word": word,
    "yaml": yaml,
}
