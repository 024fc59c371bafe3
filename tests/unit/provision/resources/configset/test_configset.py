"""A set of files on a host: what differs, what a host keeps of the set before, and which names are refused."""

from __future__ import annotations

import hashlib
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from provision.errors import InputError
from provision.facts.host import FileState
from provision.resources import ConfigSet, Nginx
from provision.resources.base import Action
from provision.resources.configset.comparison import difference, may_be_shown
from provision.resources.configset.snapshot import read_snapshot, snapshot_script

CONTENT = b"events {}\n"
LINK = FileState(kind="l", sha256=hashlib.sha256(CONTENT).hexdigest())
RELEASED = FileState(kind="f", mode="644", owner="root", group="root")


@pytest.mark.parametrize(
    ("known", "released", "expected"),
    [
        (LINK, RELEASED, ""),
        (FileState(kind=""), RELEASED, "create a.conf"),
        (replace(LINK, sha256="0" * 64), RELEASED, "a.conf: content"),
        (replace(LINK, kind="f"), RELEASED, "a.conf: a file instead of the link into the set"),
        (LINK, replace(RELEASED, mode="600", owner="bin"),
         "a.conf: mode 0600 -> 0644, owner bin:root -> root:root"),
    ],
)  # fmt: skip
def test_a_file_of_a_set_differs_in_words(known: FileState, released: FileState, expected: str) -> None:
    assert difference("a.conf", CONTENT, known, released) == expected


def test_a_file_that_not_everybody_may_read_is_not_shown() -> None:
    assert may_be_shown(LINK, RELEASED)
    assert not may_be_shown(LINK, replace(RELEASED, mode="640"))
    assert not may_be_shown(replace(RELEASED, mode="600"), RELEASED)


@pytest.mark.parametrize(
    "name", ["/etc/x", "../x", "site/x", "releases/x", "a b", "a'b", "$(touch p)", "a\nb", "", "a//b", "*", "a;b"]
)
def test_a_name_that_is_no_plain_path_below_the_set_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="is not a path below it"):
        ConfigSet(directory="/etc/x", files={name: ""}, activation=Nginx())


def test_a_host_keeps_the_files_of_the_set_before(tmp_path: Path) -> None:
    directory = tmp_path / "it's $HOME"
    (directory / "site/conf.d").mkdir(parents=True)
    (directory / "site/gone.conf").write_bytes(b"")
    (directory / "conf.d").mkdir()
    for name, content in (("nginx.conf", b"a\nb"), ("conf.d/od.conf", b"\xff\n"), ("gone.conf", b"")):
        (directory / name).write_bytes(content)
        (directory / name).chmod(0o644)
    script = snapshot_script(str(directory), ["nginx.conf", "conf.d/od.conf", "new.conf"])
    printed = subprocess.run(["sh", "-c", script], capture_output=True, check=True).stdout
    assert read_snapshot(printed).files == {"nginx.conf": b"a\nb", "conf.d/od.conf": b"\xff\n", "gone.conf": b""}


def test_a_set_before_that_is_not_kept_whole_is_not_put_back() -> None:
    config = ConfigSet(directory="/etc/x", files={"a": b""}, activation=Nginx())
    for snapshot, why in (
        (b"9\ta\nshort", "bigger than what a host keeps"),
        (b"-\ta\n", "was closed to others"),
        (b"", "there was no set before it"),
    ):
        rollback = config.rollback(Action.UPDATE, snapshot)
        assert rollback.resources == ()
        assert why in rollback.why
