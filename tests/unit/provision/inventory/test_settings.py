"""Typed settings: what binds, and how each mistake is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pytest

from provision.errors import Exit, InputError
from provision.inventory import Inventory
from provision.inventory.settings import bind, check_names
from provision.inventory.types import Duration, FlagName, FlagValue
from provision.inventory.vault import Password, Vault
from tests.unit.vaults import value

Write = Callable[[Mapping[str, str]], Path]


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nested settings."""

    rate: float = 1.0
    burst: int | None = None


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A role's settings, with every kind of type in use."""

    vip: str
    keepalive: int = 32
    mode: Literal["iptables", "nftables", "ipvs"] = "iptables"
    debug: bool = False
    limits: Limits = Limits()
    ports: list[int] = []
    extra: Limits | None = None
    labels: dict[str, str] = {}
    zones: dict[str, Limits] = {}
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 81
    timeout: Duration = "10s"
    flags: dict[FlagName, FlagValue] = {}

    def __post_init__(self) -> None:
        if self.vip == "nonsense":
            raise ValueError("the vip must make sense")


def settings(write: Write, text: str, *options: str) -> Any:
    folder = write({"hosts.yml": "all: {hosts: {h1: }}", "group_vars/all.yml": text})
    inventory = Inventory.load([folder], options, cwd=folder, namespaces=frozenset({"edge"}))
    return bind(Settings, inventory.host("h1"), "edge")


def test_settings_take_the_types_that_the_role_declares(write: Write) -> None:
    found = settings(write, 'edge: {vip: "{{ word }}", limits: {rate: 2.5}, ports: [80, 81]}\nword: 10.4.7.10')
    assert found == Settings(vip="10.4.7.10", limits=Limits(rate=2.5), ports=[80, 81])


@pytest.mark.parametrize(
    ("option", "field", "value"),
    [
        ("edge.keepalive=82", "keepalive", 82),
        ("edge.debug=yes", "debug", True),
        ("edge.debug=false", "debug", False),
        ("edge.vip=82", "vip", "82"),
        ("edge.mode=ipvs", "mode", "ipvs"),
        ("edge.limits.rate=3", "limits", Limits(rate=3.0)),
        ("edge.limits.burst=7", "limits", Limits(burst=7)),
        ("edge.extra.burst=7", "extra", Limits(burst=7)),
        ("edge.labels.zone=1", "labels", {"zone": "1"}),
        ("edge.zones.a.burst=1", "zones", {"a": Limits(burst=1)}),
        ("edge.port=8080", "port", 8080),
        ("edge.keepalive={{ 40 + 2 }}", "keepalive", 42),
    ],
)
def test_text_from_the_command_line_becomes_what_its_setting_wants(
    write: Write, option: str, field: str, value: object
) -> None:
    assert getattr(settings(write, "edge: {vip: x}", f"'{option}'"), field) == value


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ("edge:\n  vip: x\n  keepaliv: 5", (), ["group_vars/all.yml:3", "'keepaliv'", "Did you mean 'keepalive'?"]),
        ("edge:\n  vip: x\n  zzz: 5", (), ["group_vars/all.yml:3", "'zzz'", "There are vip, keepalive"]),
        ("edge:\n  vip: x\n  limits:\n    rte: 1", (), [".yml:4", "'limits' has no setting 'rte'", "'rate'"]),
        ("edge: {vip: x, zones: {a: {rte: 1}}}", (), ["'a' has no setting 'rte'"]),
        ("edge:\n  vip: x\n  keepalive: '5'", (), [".yml:3", "edge.keepalive", "'5' was written", "a whole number"]),
        ("edge: {vip: 10}", (), ["edge.vip", "10 was written", "text (in quotes"]),
        ("edge:\n  vip: x\n  ports:\n    - 80\n    - http", (), [".yml:5", "edge.ports.1", "'http' was written"]),
        ("edge:\n  vip: x\n  labels:\n    ok: a\n    zone: 5", (), [".yml:5", "edge.labels.zone", "5 was written"]),
        ("edge:\n  vip: x\n  zones:\n    a: {rate: x}", (), [".yml:4", "edge.zones.a.rate", "a number"]),
        ("edge: {vip: x, mode: iptabels}", (), ["edge.mode", "iptables, nftables, ipvs", "Did you mean 'iptables'?"]),
        ("edge: {vip: x, extra: {burst: x}}", (), ["edge.extra.burst", "a whole number or nothing"]),
        ("edge: {vip: x, port: 70000}", (), ["edge.port", "70000 was written", "a whole number, at most 65535"]),
        ("edge: {vip: x}", ("edge.port=0",), ["edge.port", "0 was written", "a whole number, at least 1"]),
        ("edge:\n  vip: x\n  timeout: banana", (), [".yml:3", "'banana' is not a duration", "such as 10s"]),
        ("edge: {vip: x, timeout: 10}", (), ["edge.timeout", "10 was written", "text (in quotes", "'10s'"]),
        ("edge: {vip: x}", ("'edge.timeout=10 s'",), ["--extra-vars", "'10 s' is not a duration"]),
        (
            "edge:\n  vip: x\n  flags:\n    a: b\n    a_b: c",
            (),
            [".yml:5", "edge.flags", "'a_b' is not the name"],
        ),
        (
            'edge: {vip: x, flags: {a: "b\\nc"}}',
            (),
            ["edge.flags.a", r"'b\nc' is not the value of a flag"],
        ),
        ("edge:\n  keepalive: 5", (), ["group_vars/all.yml:1", "'edge.vip' is missing"]),
        ("other: 1", (), ["'edge.vip' is missing", "group_vars/"]),
        ("edge: 5", (), ["'edge' holds settings", "5 was written"]),
        ("edge: {vip: nonsense}", (), ["the vip must make sense"]),
        ("edge: {vip: x}", ("edge.keepalive=many",), ["--extra-vars", "edge.keepalive", "'many' was written"]),
        ("edge: {vip: x}", ('{"edge": {"keepalive": "5"}}',), ["--extra-vars:1", "edge.keepalive", "'5' was written"]),
        ("edge: {vip: x}", ("edge.keepaliv=5",), ["--extra-vars", "Did you mean 'keepalive'?"]),
        ("edge:\n  vip: '{{ vpi }}'", (), ["group_vars/all.yml:2", "'vpi' is not set"]),
    ],
)
def test_a_mistake_is_told_with_its_line_and_the_right_word(
    write: Write, text: str, options: tuple[str, ...], words: list[str]
) -> None:
    with pytest.raises(InputError) as caught:
        settings(write, text, *options)
    assert caught.value.exit == Exit.BAD_INPUT
    assert "\n" not in str(caught.value)
    for word in ["h1", *words]:
        assert word in str(caught.value)


def test_a_secret_of_a_wrong_form_is_not_shown(write: Write) -> None:
    text = f"edge:\n  vip: x\n  timeout: {value('correct horse')}"
    folder = write({"hosts.yml": "all: {hosts: {h1: }}", "group_vars/all.yml": text})
    vault = Vault([Password("default", "password", lambda: b"pass")])
    inventory = Inventory.load([folder], cwd=folder, namespaces=frozenset({"edge"}), vault=vault)
    with pytest.raises(InputError) as caught:
        bind(Settings, inventory.host("h1"), "edge")
    assert "(secret) is not a duration" in str(caught.value)
    assert "horse" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ("egde: {vip: x}", (), ["group_vars/all.yml:1", "'egde'", "Did you mean 'edge'?"]),
        ("kube-proxy: {}", (), ["Did you mean 'kube_proxy'?"]),
        ("kubeproxy: {}", (), ["Did you mean 'kube_proxy'?"]),
        ("sites: {}", (), ["Did you mean 'site'?"]),
        ("edge.tls.source: own", (), ["group_vars/all.yml:1", "for --extra-vars", "Write edge: {tls: {source: …}}"]),
        ("a: 1", ("egde.vip=5",), ["--extra-vars", "Did you mean 'edge'?"]),
    ],
)
def test_a_variable_that_is_nearly_a_roles_name_is_refused(
    write: Write, text: str, options: tuple[str, ...], words: list[str]
) -> None:
    folder = write({"hosts.yml": "all: {hosts: {h1: }}", "group_vars/all.yml": text})
    with pytest.raises(InputError) as caught:
        check_names(Inventory.load([folder], options, cwd=folder), ["edge", "kube_proxy", "cni", "site"])
    for word in words:
        assert word in str(caught.value)


def test_other_variables_are_left_alone(write: Write) -> None:
    text = "edge: {}\ndns: 1\nimages: {}\nops_url: x\nproxy: 1\nsize: 3\nsites: [a]\nedgy: text\naws: {}\nops: {}\n"
    folder = write({"hosts.yml": "all: {hosts: {h1: {ansible_port: 22}}}", "group_vars/all.yml": text})
    check_names(Inventory.load([folder]), ["apps", "edge", "kube_proxy", "cni", "pki", "site"])
