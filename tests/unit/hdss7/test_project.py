"""Which folder and which inventories a command line means."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from hdss7.options import Options
from hdss7.project import inventories, packaged, project_folders
from provision.errors import InputError
from provision.search_path import SearchPath


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a site.yml and two folders below; it is the current one."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in ("inventory", "deep/er"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "site.yml").write_text("")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("there", "meant"), [(("lab", "mine"), "lab"), (("mine",), "mine"), (("mine.yml", ".git"), "mine.yml")]
)
def test_the_default_inventory_is_lab_or_else_the_only_one(project: Path, there: tuple[str, ...], meant: str) -> None:
    for name in there:
        (project / "inventory" / name).mkdir()
    assert inventories(Options(), SearchPath.of(project)) == (project / "inventory" / meant,)


def test_of_several_inventories_one_has_to_be_named(project: Path) -> None:
    for name in ("mine", "ours"):
        (project / "inventory" / name).mkdir()
    with pytest.raises(InputError, match="inventory/mine, inventory/ours"):
        inventories(Options(), SearchPath.of(project))


def test_inventories_are_searched_here_project_package(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project / "deep")
    for folder in (project / "deep" / "mine", project / "inventory" / "lab"):
        folder.mkdir(parents=True)
    folders = SearchPath.of(project, packaged())
    named = inventories(Options(inventory=("mine", "inventory/lab", "inventory/hdss7", "nowhere")), folders)
    assert named == (
        project / "deep" / "mine",
        project / "inventory" / "lab",
        packaged() / "inventory" / "hdss7",
        project / "deep" / "nowhere",
    )


def test_a_project_is_found_from_a_folder_inside_it(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project / "deep" / "er")
    assert project_folders(Options()).own == project


def test_a_project_can_be_named_from_elsewhere(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    assert project_folders(Options(project=str(project))).own == project
    with pytest.raises(InputError, match=r"there is no site\.yml"):
        project_folders(Options(project=str(project / "deep")))
    with pytest.raises(InputError, match=r"there is no site\.yml in this folder"):
        project_folders(Options())
