"""What a project lacks comes from the folders behind its own, file by file."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from provision.search_path import SearchPath
from tests.unit.conftest import Write


@pytest.fixture
def folders(write: Write) -> SearchPath:
    """A project `own` and a folder `packaged` behind it, which both have a module `both`."""
    root = write(
        {
            "own/kept_apart/both.py": "FROM = 'own'",
            "packaged/kept_apart/both.py": "FROM = 'packaged'",
            "packaged/kept_apart/other.py": "from kept_apart.both import FROM",
        }
    )
    return SearchPath.of(root / "own", root / "packaged")


def test_the_projects_own_file_wins_and_what_it_lacks_is_found(folders: SearchPath) -> None:
    own, packaged = folders.paths
    assert folders.find("kept_apart/both.py") == own / "kept_apart/both.py"
    assert folders.find("kept_apart/other.py") == packaged / "kept_apart/other.py"
    assert folders.find("nowhere") == own / "nowhere"
    assert folders.files("kept_apart", "*.py") == (own / "kept_apart/both.py", packaged / "kept_apart/other.py")


def test_a_packaged_module_imports_the_projects_own(folders: SearchPath) -> None:
    folders.make_importable("kept_apart")
    assert importlib.import_module("kept_apart.other").FROM == "own"
    SearchPath.of(folders.paths[1]).make_importable("kept_apart")
    assert importlib.import_module("kept_apart.other").FROM == "packaged"


def test_a_file_is_named_below_the_innermost_folder_that_holds_it(tmp_path: Path) -> None:
    inside = tmp_path / "venv" / "data"
    folders = SearchPath.of(tmp_path, inside)
    assert folders.relative(tmp_path / "roles/base.py") == "roles/base.py"
    assert folders.relative(inside / "roles/base.py") == "roles/base.py"
    assert folders.relative("/elsewhere/base.py") == ""


def test_the_same_folder_twice_is_one(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    assert SearchPath.of(tmp_path, tmp_path / "link").paths == (tmp_path,)
