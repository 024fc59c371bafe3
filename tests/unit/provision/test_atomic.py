"""A file that is replaced holds its old content or its new one, also when the writer is killed."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from provision.atomic import replace_file, replace_link

SIZE = 2 << 20
WRITER = f"""
import sys
from pathlib import Path
from provision.atomic import replace_file
while True:
    for letter in (b"a", b"b"):
        replace_file(Path(sys.argv[1]), letter * {SIZE})
"""


def test_a_killed_writer_leaves_the_old_or_the_new_content(tmp_path: Path) -> None:
    path = tmp_path / "record"
    path.write_bytes(b"a" * SIZE)
    unfinished = 0
    for kill in range(8):
        with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], cwd=Path(__file__).parents[3]) as writer:
            first = path.stat().st_ino
            deadline = time.monotonic() + 20
            while path.stat().st_ino == first and time.monotonic() < deadline:
                time.sleep(0.001)
            assert path.stat().st_ino != first, "the writer never wrote"
            time.sleep(kill / 1000)
            writer.send_signal(signal.SIGKILL)
        assert path.read_bytes() in (b"a" * SIZE, b"b" * SIZE)
        for beside in tmp_path.glob(".record.*"):
            unfinished += 1
            assert stat.S_IMODE(beside.stat().st_mode) == 0o600
            beside.unlink()
    assert unfinished, "no writer was killed in the middle: nothing was tested"


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_the_mode_does_not_depend_on_the_umask(tmp_path: Path, mode: int) -> None:
    before = os.umask(0o027)
    try:
        replace_file(tmp_path / "file", "text", mode)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == mode


def test_a_failed_write_leaves_nothing_beside(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    with pytest.raises(OSError, match="file"):
        replace_file(tmp_path / "file", "text")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_link_is_replaced(tmp_path: Path) -> None:
    for target in ("first", "second"):
        replace_link(tmp_path / "link", tmp_path / target)
        assert (tmp_path / "link").readlink() == tmp_path / target
    assert len(list(tmp_path.iterdir())) == 1
