"""The resource of docs/writing-a-resource.md works as it is pasted."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from provision.history.journal import About, Journal, JournalQuestion
from provision.history.rollback import rollback_plan
from provision.inventory import Inventory
from provision.plan.plan import Declaration, Item, compare
from provision.playbook.plays import Play, RoleUse
from provision.playbook.roles import Roles
from provision.remote.lock import Holder
from provision.resources import Action, Change
from provision.resources.optional.reversible import rollback_summary
from provision.search_path import SearchPath
from tests.unit.conftest import Write
from tests.unit.machine import Machine

DOCUMENT = Path(__file__).resolve().parents[4] / "docs" / "writing-a-resource.md"
SITE = """
    import msgspec
    class SiteSettings(msgspec.Struct, frozen=True): pass
    """


def roles_modules() -> list[str]:
    return [name for name in sys.modules if name == "roles" or name.startswith("roles.")]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "limits.conf"
    path.write_text("# by the system\n")
    return path


@pytest.fixture
def declared(write: Write, file: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Declaration]:
    """What the role declares that the document tells to save, for a host whose file is `file`."""
    resource, role = re.findall(r"^```python\n(.*?)^```", DOCUMENT.read_text(), re.M | re.S)
    root = write(
        {
            "hosts.yml": f"all: {{hosts: {{h1: }}, vars: {{limits: {{path: {file}}}}}}}",
            "roles/__init__.py": "",
            "roles/_site.py": SITE,
            "roles/_line.py": resource,
            "roles/limits.py": role,
        }
    )
    for name in roles_modules():
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(str(root))
    host = Inventory.load([root / "hosts.yml"], namespaces=frozenset({"limits"})).host("h1")
    play = Play(name="limits", hosts="all", roles=(RoleUse(name="limits", line="site.yml:1"),), line="site.yml:1")
    (declaration,) = Roles(SearchPath.of(root)).declare(host, [play])
    yield declaration
    for name in roles_modules():
        del sys.modules[name]


def planned(machine: Machine, declaration: Declaration) -> Item:
    (item,) = compare([declaration], machine.answers(declaration.resource.questions()))
    return item


def test_the_example_adds_its_line_once(declared: Declaration, file: Path, tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    item = planned(machine, declared)
    assert isinstance(item.outcome, Change)
    assert (item.outcome.action, item.outcome.summary) == (Action.UPDATE, f"add a line to {file}")
    assert machine.run(item.resource.fix(item.outcome)).returncode == 0
    assert file.read_text() == "# by the system\n* - nofile 65536\n"
    assert planned(machine, declared).as_declared


def test_the_example_is_journaled_but_cannot_be_undone(declared: Declaration, file: Path, tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    item = planned(machine, declared)
    assert isinstance(item.outcome, Change)
    step = Journal(Holder("alice@desk"), About(), {}).around(item.resource.fix(item.outcome), item)
    assert machine.run(step).returncode == 0
    (written,) = machine.ask(JournalQuestion(contents=True))
    assert [(entry.key, entry.code) for entry in written.entries] == [(item.resource.key, 0)]
    back = rollback_plan(written, lambda role: 0)
    assert back.declarations == ()
    assert back.lasting == (f"{item.resource.key}: cannot be undone",)
    assert rollback_summary(item.resource) == "cannot be undone"


def test_the_example_of_a_removed_role_cannot_be_undone(
    declared: Declaration, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = Machine(tmp_path)
    item = planned(machine, declared)
    assert isinstance(item.outcome, Change)
    machine.run(Journal(Holder("alice@desk"), About(), {}).around(item.resource.fix(item.outcome), item))
    (written,) = machine.ask(JournalQuestion(contents=True))
    monkeypatch.delitem(sys.modules, "roles._line")
    (tmp_path / "roles/_line.py").unlink()
    (why,) = rollback_plan(written, lambda role: 0).lasting
    assert why.startswith(f"{item.resource.key}: cannot be undone: there is no resource of the kind roles._line.Line")
