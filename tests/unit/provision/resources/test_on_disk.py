"""Files, links and downloads made by the real shell: whole or not at all, whatever their names contain."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pytest

from provision.resources import Change, Directory, Download, File, Resource, Symlink
from provision.resources.base import Rendering
from tests.unit.machine import Machine

HOSTILE = ("$(touch p)", "`touch p`", "a'b\"c", " blanks ", "-n", "*", "a; touch p", "é")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.chdir(tmp_path)
    return Machine(tmp_path / "host")


def apply(machine: Machine, resource: Resource) -> int:
    """Makes the resource so; 0 when it then reads as declared."""
    resource = resource.rendered(Rendering(lambda template: ""))
    change = resource.compare(machine.answers(resource.questions()), ())
    assert isinstance(change, Change)
    code = machine.run(resource.fix(change)).returncode
    assert code or resource.compare(machine.answers(resource.questions()), ()) is None
    return code


@pytest.mark.parametrize("name", HOSTILE)
def test_any_name_is_written_as_it_is(machine: Machine, tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    source = tmp_path / f"source {name}"
    source.write_text("fetched\n")
    digest = hashlib.sha256(b"fetched\n").hexdigest()
    assert apply(machine, Directory(path=str(folder), mode="0750")) == 0
    assert apply(machine, File(path=str(folder / name), content="text\n", mode="0600")) == 0
    assert apply(machine, Symlink(path=f"{folder}/link", target=name)) == 0
    assert apply(machine, Download(path=f"{folder}/tool", url=source.as_uri(), sha256=digest, mode="0755")) == 0
    assert sorted(os.listdir(folder)) == sorted([name, "link", "tool"])
    assert ((folder / name).read_text(), os.readlink(folder / "link")) == ("text\n", name)
    assert not (tmp_path / "p").exists()
    assert not (folder / "p").exists()


def test_a_download_of_another_checksum_changes_nothing(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "source").write_text("other\n")
    (tmp_path / "d").mkdir()
    tool = Download(path=f"{tmp_path}/d/tool", url=f"file://{tmp_path}/source", sha256="0" * 64)
    change = tool.compare(machine.answers(tool.questions()), ())
    assert isinstance(change, Change)
    result = machine.run(tool.fix(change))
    assert result.returncode == 1
    assert b"nothing was installed" in result.stderr
    assert os.listdir(tmp_path / "d") == []


def test_a_file_that_cannot_get_its_owner_stays_as_it_was(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    file = File(path=f"{tmp_path}/d/f", content="old\n")
    assert apply(machine, file) == 0
    assert apply(machine, replace(file, content="new\n", owner="no-such-user")) != 0
    assert os.listdir(tmp_path / "d") == ["f"]
    assert (tmp_path / "d/f").read_text() == "old\n"
