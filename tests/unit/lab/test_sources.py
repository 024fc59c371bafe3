"""Which inventories a run reads when its hosts live in a lab, and when they don't."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from lab.sources import completed, dials, placeholders
from provision.errors import Exit, InputError, UnreachableError
from provision.inventory import Inventory
from provision.inventory.sources import Source, open_source
from provision.inventory.vault import Vault

Write = Callable[[Mapping[str, str]], Path]
REAL = "all: {hosts: {a: {ansible_host: 10.1.1.1}}}\n"
LAB = "all: {vars: {hdss7_dial: 'lab.network:dial'}, hosts: {a: {ansible_host: 10.1.1.1}}}\n"


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder without any lab."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "hdss7" / "labs"


def opened(path: Path) -> tuple[Source, ...]:
    return (open_source(path, Path.cwd(), Vault()),)


@pytest.mark.parametrize(("text", "lives"), [(REAL, False), (LAB, True)])
def test_hosts_live_in_a_lab_where_it_is_their_dialler(write: Write, text: str, lives: bool) -> None:
    assert dials(Inventory.load([write({"hosts.yml": text})])) is lives


def test_placeholders_stand_for_a_lab_that_was_never_up(write: Write) -> None:
    found = completed(opened(write({"hosts.yml": LAB})), None, ("a=1",))
    assert "binaries" in found.extra_vars[0]
    assert found.extra_vars[1:] == ("a=1",)
    with pytest.raises(UnreachableError) as raised:
        found.check_up()
    assert (raised.value.exit, str(raised.value)) == (
        Exit.UNREACHABLE,
        "the lab main is not up. Start it: invoke lab.up.",
    )


def test_any_inventory_can_be_tried_in_a_lab_that_is_named(write: Write, state: Path) -> None:
    path = write({"hosts.yml": REAL, "state/hdss7/labs/mine/inventory.yml": "all:\n  vars:\n    binaries: {}\n"})
    found = completed(opened(path / "hosts.yml"), "mine", ())
    assert tuple(source.path for source in found.opened) == (path / "hosts.yml", state / "mine" / "inventory.yml")
    assert found.extra_vars == ()


def test_names_of_an_earlier_version_are_renewed(write: Write, state: Path) -> None:
    old = "all:\n  vars:\n    binaries: {}\n    outsider: lab.outsider:on_ops_host mine\n"
    path = write({"hosts.yml": REAL, "state/hdss7/labs/mine/inventory.yml": old})
    completed(opened(path / "hosts.yml"), "mine", ())
    assert "hdss7_ops_host: lab.ops_host:on_ops_host mine\n" in (state / "mine" / "inventory.yml").read_text()


def test_a_name_that_is_none_is_bad_input(write: Write) -> None:
    with pytest.raises(InputError, match="can't be the name of a lab"):
        completed(opened(write({"hosts.yml": REAL})), "../main", ())


def test_placeholders_name_what_a_lab_serves() -> None:
    from lab.artifacts.binaries import COMMANDS
    from lab.artifacts.catalog import IMAGES

    said = placeholders()
    assert set(said["binaries"]) >= set(COMMANDS)
    assert set(said["images"]) == {image.name for image in IMAGES}
