"""Go's regular expressions, by Python's: what both understand alike is compiled, the rest is said to be unknown."""

from __future__ import annotations

import re

PART = re.compile(
    r"\\.|\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]|\(\?P?<[A-Za-z_]\w*>|\(\?.?.?|[*+?}][*+]|\{,|.", re.DOTALL
)
REFUSED = re.compile(r"\(\?(?:=|!|<[=!]|>|#|\(|P=)|\\[1-9GKXRhHNZ]|[*+?}][*+]")  # Go has none of these
UNLIKE = re.compile(r"\\[pPQECx]|\[.*\[:|\[.*&&|\{,|\(\?[^:P<i)]")  # means another thing in Python, or nothing
SAME = {"$": r"\Z", r"\z": r"\Z"}  # Python's $ also matches before a last line feed
LONGEST = 500


class UnknownRegexpError(ValueError):
    """A pattern that Go may understand and this program does not."""


class BadRegexpError(ValueError):
    """A pattern that Go refuses."""


def compile_go(pattern: str) -> re.Pattern[str]:
    """The same pattern for Python. Raises BadRegexpError, or UnknownRegexpError where the two differ."""
    if len(pattern) > LONGEST:
        raise UnknownRegexpError(f"it has more than {LONGEST} characters")
    parts = PART.findall(pattern)
    for part in parts:
        if REFUSED.match(part):
            raise BadRegexpError(f"Go's regular expressions have no {part}")
        if UNLIKE.match(part):
            raise UnknownRegexpError(f"{part} is not judged here")
    try:
        return re.compile("".join(_translated(part) for part in parts), re.ASCII)
    except (re.error, OverflowError, RecursionError) as error:
        # a flag in the middle, for one, is Go's and not Python's
        raise (UnknownRegexpError if "(?" in pattern else BadRegexpError)(str(error)) from None


def _translated(part: str) -> str:
    named = part.startswith("(?<") and part.endswith(">")
    return "(?P" + part[2:] if named else SAME.get(part, part)
