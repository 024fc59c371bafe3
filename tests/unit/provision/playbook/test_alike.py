"""Equal roles of equal settings are compiled once, unless the role asks something of its host, or sees a secret."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from provision.project import Project
from provision.resources import File
from provision.search_path import SearchPath

ROLE = """
from collections.abc import Iterator
import msgspec
from provision.inventory.changes import Free
from provision.inventory.types import Text
from provision.resources import File
from provision.resources.base import Resource

class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    text: Free[Text] = "same"

def alike_probe(host, site, settings) -> Iterator[Resource]:
    with open({log!r}, "a") as log:
        log.write("compiled\\n")
    yield File(path="/etc/a", content={content}, mode="0644")
"""
ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture
def declared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, list[str]]]:
    """How often the role was compiled for three hosts, and the content that each of them is given."""

    def compile_all(content: str, variables: str = "") -> tuple[int, list[str]]:
        log = tmp_path / "log"
        (tmp_path / "roles").mkdir()
        (tmp_path / "roles/alike_probe.py").write_text(ROLE.format(log=str(log), content=content))
        (tmp_path / "site.yml").write_text("- {name: all, hosts: all, roles: [alike_probe]}\n")
        (tmp_path / "hosts.yml").write_text(f"all: {{hosts: {{a: , b: {variables}, c: }}}}\n")
        monkeypatch.delitem(sys.modules, "roles.alike_probe", raising=False)
        project = Project(SearchPath.of(tmp_path, ROOT), [tmp_path / "hosts.yml"])
        found = [project.declared(host.name)[0].resource for host in project.inventory.hosts]
        given = [each for each in found if isinstance(each, File)]
        contents = [each.content.decode() for each in given if isinstance(each.content, bytes)]
        return len(log.read_text().splitlines()), contents

    return compile_all


def test_three_hosts_with_equal_settings_cost_one(declared: Callable[..., tuple[int, list[str]]]) -> None:
    assert declared("settings.text") == (1, ["same"] * 3)


def test_other_settings_are_compiled_apart(declared: Callable[..., tuple[int, list[str]]]) -> None:
    assert declared("settings.text", "{alike_probe: {text: other}}") == (2, ["same", "other", "same"])


@pytest.mark.parametrize(
    ("content", "each"),
    [
        ("host.name", ["a", "b", "c"]),
        ("str(host == host.inventory.hosts[0])", ["True", "False", "False"]),
        ("str(len({host, *host.inventory.hosts[:1]}))", ["1", "2", "2"]),
        ("str(host.var('x', 'none'))", ["none"] * 3),
        ("str(host.group('all')[0].name)", ["a"] * 3),
    ],
)
def test_a_role_that_asks_its_host_is_compiled_for_each(
    declared: Callable[..., tuple[int, list[str]]], content: str, each: list[str]
) -> None:
    compiled, found = declared(content)
    assert found == each
    assert compiled == (1 if "group" in content else 3)
