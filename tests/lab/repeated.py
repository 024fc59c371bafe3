"""Tests of one module that another one runs too, with a fixture of its own."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest

Test = Callable[..., None]


def again(test: Test) -> Test:
    """The same test, with the fixtures of the module that has it, and not of the core."""

    @functools.wraps(test)
    def same(*words: Any, **named: Any) -> None:
        test(*words, **named)

    marks: list[pytest.Mark] = getattr(test, "pytestmark", [])
    same.pytestmark = [mark for mark in marks if mark.name != "core"]  # type: ignore[attr-defined]
    return same
