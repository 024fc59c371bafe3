"""What a user may rely on of the lab's cache: built once, never half, whoever dies or comes second."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lab.artifacts.cache import Cache, key_of
from provision.errors import FailedError

ENDLESS = """
import sys, time
from pathlib import Path
from lab.artifacts.cache import Cache

def build(folder, log):
    (folder / "half").write_text("half")
    print("started", flush=True)
    time.sleep(600)

Cache(Path(sys.argv[1])).entry("thing", {"made of": "1"}, build)
"""


def writes(text: str, counter: list[str] | None = None) -> Callable[[Path, Path], list[str]]:
    def build(folder: Path, log: Path) -> list[str]:
        (folder / "file").write_text(text)
        if counter is not None:
            counter.append(text)
        return ["file"]

    return build


def start_endless_build(root: Path) -> subprocess.Popen[str]:
    builder = subprocess.Popen([sys.executable, "-c", ENDLESS, str(root)], stdout=subprocess.PIPE, text=True)
    assert builder.stdout
    assert builder.stdout.readline() == "started\n"
    return builder


def test_what_was_built_is_found_again_with_its_sum_and_its_time(tmp_path: Path) -> None:
    built = Cache(tmp_path).entry("thing", {"made of": "1"}, writes("hello"))
    found = Cache(tmp_path).entry("thing", {"made of": "1"}, writes("not built"))
    assert (built.hit, found.hit) == (False, True)
    assert found == built
    assert found.file("file") == (
        found.path / "file",
        "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
    )


def test_another_ingredient_makes_another_entry_beside_the_old(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    old = cache.entry("thing", {"made of": "1"}, writes("old"))
    new = cache.entry("thing", {"made of": "2"}, writes("new"))
    assert (old.path / "file").read_text() == "old"
    assert (new.path / "file").read_text() == "new"


@pytest.mark.parametrize(
    ("one", "other"),
    [({"a": "1"}, {"a": "2"}), ({"a": "1"}, {"b": "1"}), ({"a": "1b", "c": ""}, {"a": "1", "bc": ""})],
)
def test_a_key_tells_ingredients_apart(one: dict[str, str], other: dict[str, str]) -> None:
    assert key_of(one) != key_of(other)


def test_the_order_of_ingredients_does_not_matter() -> None:
    assert key_of({"a": "1", "b": "2"}) == key_of({"b": "2", "a": "1"})


def test_a_failed_build_leaves_nothing_and_can_be_tried_again(tmp_path: Path) -> None:
    def fails(folder: Path, log: Path) -> list[str]:
        (folder / "half").write_text("half")
        raise FailedError("no")

    with pytest.raises(FailedError):
        Cache(tmp_path).entry("thing", {}, fails)
    assert [path for path in (tmp_path / "thing").iterdir() if path.is_dir()] == []
    assert not Cache(tmp_path).entry("thing", {}, writes("yes")).hit


def test_a_full_disk_is_one_paragraph_that_names_the_artefact(tmp_path: Path) -> None:
    def fills(folder: Path, log: Path) -> list[str]:
        raise OSError(28, "No space left on device")

    with pytest.raises(FailedError, match=r"the lab's thing could not be built.*No space left on device"):
        Cache(tmp_path).entry("thing", {}, fills)


def test_what_a_killed_build_left_is_cleared_by_the_next(tmp_path: Path) -> None:
    builder = start_endless_build(tmp_path)
    assert list((tmp_path / "thing").glob("*.partial/half"))
    builder.send_signal(signal.SIGKILL)
    builder.wait()
    entry = Cache(tmp_path).entry("thing", {"made of": "1"}, writes("whole"))
    assert (entry.path / "file").read_text() == "whole"
    assert not list((tmp_path / "thing").glob("*.partial"))


def test_two_builders_at_once_build_once(tmp_path: Path) -> None:
    builds: list[str] = []
    both_there = threading.Barrier(2, timeout=10)

    def slow(folder: Path, log: Path) -> list[str]:
        time.sleep(0.1)  # so that the second builder comes while the first builds
        return writes("once", builds)(folder, log)

    def one() -> None:
        both_there.wait()
        Cache(tmp_path).entry("thing", {}, slow)

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert builds == ["once"]


def test_who_waits_for_another_build_says_so_and_can_be_interrupted(tmp_path: Path) -> None:
    builder = start_endless_build(tmp_path)
    stopped, said = threading.Event(), []

    def progress(name: str, message: str) -> None:
        said.append(f"{name}: {message}")
        stopped.set()

    try:
        with pytest.raises(FailedError, match="interrupted"):
            Cache(tmp_path, stopped).entry("thing", {}, writes(""), progress)
    finally:
        builder.kill()
        builder.wait()
    assert said == ["thing: another build of it runs: waiting"]


def test_progress_says_how_long_it_took_last_time(tmp_path: Path) -> None:
    said: list[str] = []
    cache = Cache(tmp_path)
    for version in ("1", "2"):
        cache.entry("thing", {"": version}, writes(""), lambda _, text: said.append(text), about="takes a while")
    assert said == ["building (takes a while)", "built in 0 s", "building (took 0 s last time)", "built in 0 s"]


def test_what_is_being_built_is_announced_and_withdrawn(tmp_path: Path) -> None:
    seen: list[tuple[str, str, float]] = []

    def broken(folder: Path, log: Path) -> list[str]:
        raise OSError("no space")

    (tmp_path / "thing").mkdir()
    (tmp_path / "thing" / "seconds").write_text("41")
    cache = Cache(tmp_path, doing=lambda *what: seen.append(what))
    with pytest.raises(FailedError):
        cache.entry("thing", {}, broken)
    cache.entry("other", {}, writes(""))
    cache.entry("other", {}, writes(""))  # is there already
    assert seen == [("thing", "building", 41.0), ("thing", "", 0), ("other", "building", 0), ("other", "", 0)]


def test_the_cache_lies_where_xdg_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert Cache().root == tmp_path / "hdss7" / "artifacts"
