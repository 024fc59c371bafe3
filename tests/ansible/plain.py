"""Values in a form that JSON keeps whole: keys that are not text, 1 beside 1.0, and what JSON has no form for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def plain(value: Any) -> Any:
    """A value as JSON can carry it; two values that differ in kind differ here too. The oracle's process uses it."""
    if isinstance(value, Mapping):
        return {"mapping": sorted(([plain(key), plain(item)] for key, item in value.items()), key=repr)}
    if isinstance(value, (list, tuple, set)):
        return [plain(item) for item in value]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        return {"number": repr(value)}
    return str(value) if isinstance(value, str) else {"other": str(value)}
