"""Amounts as nginx writes them."""

from __future__ import annotations

import pytest

from roles._amounts import octets, seconds


@pytest.mark.parametrize(("size", "number"), [("64k", 65536), ("100M", 104857600), ("1g", 1 << 30), ("512", 512)])
def test_a_size_is_a_number_of_bytes(size: str, number: int) -> None:
    assert octets(size) == number


@pytest.mark.parametrize(("duration", "number"), [("10s", 10), ("1h30m", 5400), ("45", 45), ("1d", 86400)])
def test_a_duration_is_a_number_of_seconds(duration: str, number: int) -> None:
    assert seconds(duration) == number
