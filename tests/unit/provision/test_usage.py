"""How messages name the commands of this program."""

from __future__ import annotations

import sys

import pytest

from provision.usage import usage


@pytest.mark.parametrize(
    ("started", "typed"),
    [
        ("/root/venv/bin/hdss7", "hdss7 plan"),
        ("hdss7", "hdss7 plan"),
        (".venv/bin/invoke", "invoke plan"),
        ("/lib/python3/site-packages/invoke/__main__.py", "invoke plan"),
        ("/home/me/hdss7/.venv/bin/inv", "invoke plan"),
        ("", "invoke plan"),
    ],
)
def test_a_command_is_named_as_it_was_started(started: str, typed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [started, "ping"])
    assert usage("plan") == typed
