"""How each setting may change: every field says it, and docs/settings.md lists them all."""

from __future__ import annotations

import msgspec
import pytest

from provision.inventory.changes import Changes, Free, Once, Rolled, Setting
from provision.inventory.changes import settings as described
from provision.inventory.types import FilePath, Name, Natural, Url
from tests.unit.conftest import ROOT
from tests.unit.provision.inventory.test_types import settings

EVERY = [setting for name, kind in settings() for setting in described(kind, name)]


class Source(msgspec.Struct, frozen=True):
    """A struct inside another."""

    url: Rolled[Url]  # where it is
    size: Natural = 0


class Own(msgspec.Struct, frozen=True):
    """Settings of a role."""

    root: Once[FilePath] = "/data"  # its folder
    names: Free[tuple[Name, ...]] = ("one",)
    sources: Rolled[dict[Name, Source]] = {}  # by name


def test_a_struct_is_described_with_the_structs_inside() -> None:
    assert list(described(Own, "own")) == [
        Setting("own.root", Changes.ONCE, "FilePath", "/data", "its folder"),
        Setting("own.names", Changes.FREE, "tuple[Name, ...]", '["one"]', ""),
        Setting("own.sources", Changes.ROLLED, "dict[Name, Source]", "{}", "by name"),
        Setting("own.sources.NAME.url", Changes.ROLLED, "Url", "", "where it is"),
        Setting("own.sources.NAME.size", None, "Natural", "0", ""),
    ]


def test_what_says_how_it_changes_is_no_part_of_the_value() -> None:
    assert msgspec.convert({"root": "/srv", "sources": {"a": {"url": "http://x/a"}}}, Own).root == "/srv"
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"root": "srv"}, Own)


@pytest.mark.parametrize("setting", EVERY, ids=lambda setting: setting.name)
def test_every_setting_says_how_it_may_change(setting: Setting) -> None:
    assert setting.changes, f"write {setting.name}: Free[…], Rolled[…] or Once[…] (provision/inventory/changes.py)"
    assert setting.meaning, f"write a comment behind {setting.name}: docs/settings.md shows it"


def test_the_documented_settings_are_those_that_there_are() -> None:
    section = (ROOT / "docs" / "settings.md").read_text().partition("\n## All settings\n")[2].partition("\n## ")[0]
    rows = list(map(_row, EVERY))
    assert [line for line in section.splitlines() if line.startswith("| `")] == rows, "\n".join(rows)


def _row(setting: Setting) -> str:
    default = f"`{setting.default}`" if setting.default else "none"
    return f"| `{setting.name}` | {setting.changes} | `{setting.type}` | {default} | {setting.meaning} |"
