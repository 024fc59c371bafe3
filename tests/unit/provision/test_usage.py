"""How messages name the commands of this program."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from provision.usage import usage

ROOT = Path(__file__).resolve().parents[3]
COMMAND = re.compile("invoke [a-z]")


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


def texts(file: Path) -> Iterator[str]:
    """The texts of a module that are no docstrings."""
    tree = ast.parse(file.read_text())
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone:
            yield node.value


@pytest.mark.parametrize("folder", ["provision", "roles", "kubeproxy", "hdss7"])
def test_no_message_says_how_the_program_was_started(folder: str) -> None:
    files = [file for file in (ROOT / folder).rglob("*.py") if file.name != "usage.py"]
    assert files
    assert not [f"{file.relative_to(ROOT)}: {text}" for file in files for text in texts(file) if COMMAND.search(text)]
