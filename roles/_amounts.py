"""Amounts as nginx writes them, in numbers."""

from __future__ import annotations

import re

_BYTES = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def octets(size: str) -> int:
    """The bytes of a size: 65536 for 64k."""
    digits = size.rstrip("kKmMgG")
    return int(digits) * _BYTES[size[len(digits) :].lower()]


def seconds(duration: str) -> int:
    """The seconds of a duration: 5400 for 1h30m."""
    return sum(int(number) * _SECONDS[unit] for number, unit in re.findall(r"([0-9]+)([smhdw]?)", duration))
