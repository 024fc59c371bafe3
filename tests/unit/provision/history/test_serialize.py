"""What hosts recorded under former names is read for ever; what is recorded now has the present ones."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

import pytest

from provision.history.serialize import FIELD_ALIASES, KIND_ALIASES, MissingKindError, Unchanged, remember, revive
from provision.resources import Command, File, Program, Resource, Service, Sysctl
from provision.resources.kubernetes.version import KubernetesVersion, Wanted
from provision.resources.virtual_address import AddressHeld

FILE = {"resource": "File /a", "digest": "d"}
FILE_A = Unchanged(name="File /a", fingerprint="d")

# kind and fields as they were recorded, and what they are today
FORMER: dict[str, tuple[Mapping[str, Any], Resource]] = {
    "Command rerun": (
        {"kind": "Command", "fields": {"name": "c", "run": "x", "unless": "true", "rerun": [FILE]}},
        Command(name="c", run="x", unless="true", on_change=(FILE_A,)),
    ),
    "Program restart": (
        {"kind": "Program", "fields": {"name": "p", "ready": "true", "log": "/l", "restart": [FILE]}},
        Program(name="p", ready="true", log="/l", restart_on=(FILE_A,)),
    ),
    "Service restart": (
        {"kind": "Service", "fields": {"name": "s", "restart": [FILE]}},
        Service(name="s", restart_on=(FILE_A,)),
    ),
    "Sysctl kept": (
        {"kind": "Sysctl", "fields": {"name": "net.x", "value": "1", "kept": False}},
        Sysctl(name="net.x", value="1", persistent=False),
    ),
    "Known known": ({"kind": "Known", "fields": {"name": "File /a", "known": "d"}}, FILE_A),
}


def nothing(key: str) -> Resource | None:
    return None


@pytest.mark.parametrize(("recorded", "today"), FORMER.values(), ids=FORMER)
def test_former_names_are_read(recorded: Mapping[str, Any], today: Resource) -> None:
    assert revive(recorded, nothing) == today


def test_every_alias_has_a_recorded_example() -> None:
    present = {kind: former for former, kind in KIND_ALIASES.items()}
    assert set(FORMER) == {f"{present.get(kind, kind)} {field}" for kind, field in FIELD_ALIASES}
    assert {name.split()[0] for name in FORMER} >= set(KIND_ALIASES)


@pytest.mark.parametrize("today", [today for _, today in FORMER.values()], ids=FORMER)
def test_present_names_are_recorded(today: Resource) -> None:
    recorded = remember(today)
    assert recorded["kind"] == type(today).__name__
    assert set(recorded["fields"]) == {field.name for field in dataclasses.fields(today)}
    assert revive(recorded, nothing) == today


VERSION = KubernetesVersion(of="kubelet", unit="/etc/x.conf", wanted=Wanted("1.35.4", "site.yml:1"), before="true")


@pytest.mark.parametrize(
    "resource", [VERSION, AddressHeld(address="10.4.7.10", before="named", do="x")], ids=lambda r: r.key
)
def test_a_kind_that_the_toolkits_roles_alone_declare_is_read(resource: Resource) -> None:
    read = revive(json.loads(json.dumps(remember(resource))), nothing)
    assert (type(read), read.key) == (type(resource), resource.key)


@pytest.mark.parametrize("kind", ["os.system", "roles.nowhere.Line", "roles.base.Settings", "Nothing"])
def test_a_journal_makes_nothing_but_resources(kind: str) -> None:
    with pytest.raises(MissingKindError):
        revive({"kind": kind, "fields": {}}, nothing)


def test_a_kind_that_is_gone_does_not_hold_back_what_named_it() -> None:
    gone = {"resource": "Line /a", "digest": "d", "as": {"kind": "roles._line.Line", "fields": {}}}
    service = revive({"kind": "Service", "fields": {"name": "s", "restart_on": [gone]}}, nothing)
    assert service == Service(name="s", restart_on=(Unchanged(name="Line /a", fingerprint="d"),))


def test_a_roles_own_subclass_is_recorded_as_what_it_extends() -> None:
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Special(File):
        extra: str = ""

    assert revive(remember(Special(path="/a", content=b"", extra="x")), nothing) == File(path="/a", content=b"")
