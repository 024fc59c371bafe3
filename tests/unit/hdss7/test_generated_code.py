"""Code that dataclasses write is compiled once for all runs, and never taken from a file of somebody else's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hdss7.generated_code import read, write
from tests.unit.conftest import ROOT

SCRIPT = """
import sys
from pathlib import Path
from hdss7.generated_code import keep_generated_code
keep_generated_code(Path(sys.argv[1]))
import builtins
compiled = []
real = builtins.compile
def counted(text, *rest, **named):
    compiled.append(text)
    return real(text, *rest, **named)
builtins.compile = counted
from dataclasses import FrozenInstanceError, dataclass, replace
@dataclass(frozen=True, order=True)
class Point:
    x: int
    y: int = 2
try:
    Point(1).x = 3
except FrozenInstanceError:
    print(Point(1), Point(1) < Point(2), replace(Point(1), y=5), len(compiled) > 0)
"""


def ran(file: Path, **variables: str) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    argv = [sys.executable, "-c", SCRIPT, str(file)]
    done = subprocess.run(argv, cwd=ROOT, env={**environment, **variables}, capture_output=True, text=True, check=True)
    return done.stdout


CLASS = "Point(x=1, y=2) True Point(x=1, y=5)"


def test_a_second_run_compiles_nothing(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "code.bin"
    assert ran(file) == f"{CLASS} True\n"
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert ran(file) == f"{CLASS} False\n"


def test_nothing_is_kept_where_python_keeps_nothing(tmp_path: Path) -> None:
    assert ran(tmp_path / "code.bin", PYTHONDONTWRITEBYTECODE="1") == f"{CLASS} True\n"
    assert not (tmp_path / "code.bin").exists()


@pytest.mark.parametrize("harm", [b"", b"x", b"\0" * 100, None])
def test_a_damaged_file_is_made_anew(tmp_path: Path, harm: bytes | None) -> None:
    file = tmp_path / "code.bin"
    ran(file)
    file.write_bytes(file.read_bytes()[:-1] if harm is None else harm)
    assert ran(file) == f"{CLASS} True\n"
    assert ran(file) == f"{CLASS} False\n"


@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_a_file_that_others_can_write_is_not_read(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "code.bin"
    write(file, {"x = 1": compile("x = 1", "<string>", "exec")})
    assert set(read(file)) == {"x = 1"}
    file.chmod(mode)
    assert read(file) == {}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_user_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "code.bin"
    write(file, {"x = 1": compile("x = 1", "<string>", "exec")})
    os.chown(file, 65534, -1)
    assert read(file) == {}
