"""Filters on numbers, sizes, dates, and chance that repeats itself."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from random import Random
from typing import Any

_UNITS = {letter: 1 << 10 * power for power, letter in enumerate("BKMGTPEZY")}
_NAMES = dict(zip(_UNITS, ("", "kilo", "mega", "giga", "tera", "peta", "exa", "zetta", "yotta"), strict=True))
_SIZE = re.compile(r"([0-9]*\.?[0-9]+)(?:\s*([A-Za-z]+))?\s*")


def log(value: float, base: float = math.e) -> float:
    """The logarithm."""
    return math.log10(value) if base == 10 else math.log(value, base)


def root(value: float, base: float = 2) -> float:
    """The square root, or that of another base."""
    return math.sqrt(value) if base == 2 else math.pow(value, 1.0 / float(base))


def human_readable(size: Any, isbits: bool = False, unit: str | None = None) -> str:
    """A number of bytes (or bits) as people write it: 1.50 KB."""
    base = "bits" if isbits else "Bytes"
    for letter in reversed(_UNITS):
        if (letter == unit.upper()[:1]) if unit else size >= _UNITS[letter]:
            break
    return f"{size / _UNITS[letter]:.2f} {letter + base[0] if letter != 'B' else base}"


def human_to_bytes(size: Any, default_unit: str | None = None, isbits: bool = False) -> int:
    """The number of bytes (or bits) that '2K', '1.5 GB' or '5 megabyte' mean. Raises ValueError."""
    found = _SIZE.fullmatch(str(size))
    if not found:
        raise ValueError(f"{size!r} is not a size")
    unit = found[2] or default_unit
    if unit is None:
        return round(float(found[1]))
    letter = unit[0].upper()
    short, long = ("b", "bit") if isbits else ("B", "byte")
    whole = letter if letter != "B" else ""
    if letter not in _UNITS or (len(unit) > 1 and unit != whole + short and unit.lower() != _NAMES[letter] + long):
        raise ValueError(f"{size!r} is not a size in {long}s")
    return round(float(found[1]) * _UNITS[letter])


def random(end: Any, start: int | None = None, step: int | None = None, seed: Any = None) -> Any:
    """A number below `end`, or an item of it; the same for the same seed. Raises ValueError without one."""
    if isinstance(end, int):
        return _seeded(seed).randrange(start or 0, end, step or 1)
    return _seeded(seed).choice(end)


def shuffle(items: Any, seed: Any = None) -> list[Any]:
    """The items in another order; the same for the same seed. Raises ValueError without one."""
    mixed = list(items)
    _seeded(seed).shuffle(mixed)
    return mixed


def _seeded(seed: Any) -> Random:
    if seed is None:
        raise ValueError("without a seed every run would give another value: write seed=inventory_hostname")
    return Random(seed)


def strftime(form: str, second: Any = None, utc: bool = False) -> str:
    """The time `second` (since 1970), or now, in the form that `form` says."""
    when = None if second is None else float(second)
    return time.strftime(form, time.gmtime(when) if utc else time.localtime(when))


def to_datetime(text: str, format: str = "%Y-%m-%d %H:%M:%S") -> datetime:
    """The date that `text` says. Raises ValueError."""
    return datetime.strptime(text, format)


FILTERS: Mapping[str, Callable[..., Any]] = {
    "human_readable": human_readable,
    "human_to_bytes": human_to_bytes,
    "log": log,
    "pow": math.pow,
    "random": random,
    "root": root,
    "shuffle": shuffle,
    "strftime": strftime,
    "to_datetime": to_datetime,
}
