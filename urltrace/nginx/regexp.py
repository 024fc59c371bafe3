"""PCRE's patterns, by Python's."""

from __future__ import annotations

import re

UNLIKE = re.compile(r"\\[QEKGXRhHNpPz]|\[\[:|\(\?[|R&+-]|\(\?\d|\(\*")
LONGEST = 500


def compile_pcre(pattern: str, flags: int = 0) -> re.Pattern[str]:
    """The same pattern for Python. Raises ValueError where the two differ, or when it is no pattern."""
    found = UNLIKE.search(pattern)
    if found:
        raise ValueError(f"{found.group()} is not judged here")
    if len(pattern) > LONGEST:
        raise ValueError(f"it has more than {LONGEST} characters")
    try:
        return re.compile(re.sub(r"\(\?<(?=[A-Za-z_])", "(?P<", pattern), flags | re.ASCII)
    except (re.error, RecursionError) as error:
        raise ValueError(str(error)) from None
