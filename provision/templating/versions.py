"""Versions compared as Ansible's `version` test does: loosely, strictly, or by the rules of semver.org."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    **dict.fromkeys(("==", "=", "eq"), operator.eq),
    **dict.fromkeys(("<", "lt"), operator.lt),
    **dict.fromkeys(("<=", "le"), operator.le),
    **dict.fromkeys((">", "gt"), operator.gt),
    **dict.fromkeys((">=", "ge"), operator.ge),
    **dict.fromkeys(("!=", "<>", "ne"), operator.ne),
}
_PART = re.compile(r"\d+|[a-z]+|[^\da-z.]+")
_STRICT = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?(?:([ab])(\d+))?")
_SEMANTIC = re.compile(r"(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?")


def compare_versions(
    value: Any, version: Any, operator: str = "eq", strict: bool | None = None, version_type: str | None = None
) -> bool:
    """Whether `value` stands to `version` as the operator says. Raises ValueError for what can't be compared."""
    if strict is not None and version_type is not None:
        raise ValueError("strict and version_type are two ways to say the same: write one of them")
    kind = "strict" if strict else version_type or "loose"
    if kind not in _KINDS:
        raise ValueError(f"version_type is one of {', '.join(_KINDS)}, not {kind!r}")
    if operator not in _OPERATORS:
        raise ValueError(f"the operator is one of {', '.join(_OPERATORS)}, not {operator!r}")
    left, right = str(value), str(version)
    if not value or not version:
        raise ValueError("an empty text is no version")
    try:
        return _OPERATORS[operator](_KINDS[kind](left), _KINDS[kind](right))
    except TypeError:
        raise ValueError(f"{left!r} and {right!r} can't be compared: a number stands against a word") from None


def _loose(text: str) -> Any:
    return [int(part) if part.isdecimal() else part for part in _PART.findall(text)]


def _strict(text: str) -> Any:
    found = _STRICT.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is no strict version: write it as 1.2, 1.2.3 or 1.2a1")
    major, minor, patch, letter, number = found.groups()
    return int(major), int(minor), int(patch or 0), letter or "c", int(number or 0)


def _semantic(text: str) -> Any:
    found = _SEMANTIC.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is no semantic version: write it as 1.2.3 or 1.2.3-rc.1")
    *numbers, before = found.groups()
    # a version before another one is lower than it; of its parts, numbers are lower than words
    parts = [(part.isdecimal() is False, int(part) if part.isdecimal() else part) for part in (before or "").split(".")]
    return (*map(int, numbers), before is None, parts)


_KINDS: Mapping[str, Callable[[str], Any]] = {
    "loose": _loose,
    "strict": _strict,
    "semver": _semantic,
    "semantic": _semantic,
}
