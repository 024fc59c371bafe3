"""Host names with ranges, as Ansible writes them: `hdss7-[21:24]`, `web[01:10:2]`, `db-[a:c].od.com`."""

from __future__ import annotations

import re
from itertools import product
from math import prod
from string import ascii_letters

from provision.errors import InputError
from provision.spelling import quoted

_RANGE = re.compile(r"\[([^\[\]]*)\]")
_DIGITS = re.compile(r"[0-9]{1,9}")
_MOST = 100_000  # hosts of one name


def expand(name: str, line: str = "") -> tuple[str, ...]:
    """Every host that `name` stands for, in order; a name without a range stands for itself.

    Both ends belong to the range; the width of a zero-padded start is kept; a third number is the step.
    Raises InputError, placed at `line`, for a range that can't be read.
    """
    parts = _RANGE.split(name)
    if "[" in "".join(parts[::2]) or "]" in "".join(parts[::2]):
        raise _bad(name, "a bracket is not closed", line)
    choices = [_values(part, name, line) if place % 2 else (part,) for place, part in enumerate(parts)]
    if prod(map(len, choices)) > _MOST:
        raise _bad(name, f"it stands for more than {_MOST} hosts", line)
    return tuple("".join(each) for each in product(*choices))


def _values(text: str, name: str, line: str) -> tuple[str, ...]:
    first, *rest = text.split(":")
    if len(rest) not in (1, 2) or not rest[0]:
        raise _bad(name, f"{quoted(f'[{text}]')} is not [first:last] or [first:last:step]", line)
    last, step = rest[0], rest[1] if len(rest) == 2 else "1"
    if not _DIGITS.fullmatch(step) or int(step) < 1:
        raise _bad(name, f"the step {quoted(step)} is not a number above 0", line)
    if _is_letter(first) and _is_letter(last):
        values = tuple(ascii_letters[ascii_letters.index(first) : ascii_letters.index(last) + 1 : int(step)])
    elif _DIGITS.fullmatch(first or "0") and _DIGITS.fullmatch(last):
        values = _numbers(first or "0", last, int(step), name, line)
    else:
        raise _bad(name, f"{quoted(first)} and {quoted(last)} are not both numbers or both letters", line)
    if not values:
        raise _bad(name, f"{quoted(first)} comes after {quoted(last)}", line)
    return values


def _numbers(first: str, last: str, step: int, name: str, line: str) -> tuple[str, ...]:
    padded = len(first) > 1 and first.startswith("0")
    if padded and len(first) != len(last):
        raise _bad(name, f"{quoted(first)} and {quoted(last)} differ in width", line)
    width = len(first) if padded else 0
    if int(last) - int(first) >= _MOST * step:
        raise _bad(name, f"it stands for more than {_MOST} hosts", line)
    return tuple(str(number).zfill(width) for number in range(int(first), int(last) + 1, step))


def _is_letter(text: str) -> bool:
    return len(text) == 1 and text in ascii_letters


def _bad(name: str, found: str, line: str) -> InputError:
    return InputError(
        f"the range in {quoted(name)} can't be read",
        line=line,
        found=found,
        do="Write it as hdss7-[21:24] or db-[a:c].",
    )
