"""Which texts are templates. Does not import jinja2: most variables are none."""

from __future__ import annotations

OVERRIDE = "#jinja2:"  # at the beginning of a text: changes what the marks are
LONGEST_NUMBER = 10_000  # bits: Python makes no text of a number with more than 4,300 digits
_MARKS = ("{{", "{%", "{#")


class Unsafe(str):
    """A text that is no template, whatever is in it: what YAML's `!unsafe` marks."""

    __slots__ = ()


def is_template(text: str) -> bool:
    """Whether there is something to evaluate in it."""
    return not isinstance(text, Unsafe) and (text.startswith(OVERRIDE) or any(mark in text for mark in _MARKS))
