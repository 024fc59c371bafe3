"""The types of settings: what they take, what they refuse, and that every setting of every role has one."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Annotated, Any, get_args, get_origin

import msgspec
import pytest

from provision.inventory import types
from provision.inventory.changes import Changes
from provision.playbook.roles import Roles
from provision.search_path import SearchPath
from tests.unit.conftest import ROOT

TYPES = {name: kind for name, kind in vars(types).items() if hasattr(kind, "__metadata__")}


def settings() -> Iterator[tuple[str, Any]]:
    """(name, struct) of the site's settings and of every role's."""
    roles = Roles(SearchPath.of(ROOT))
    yield "site", importlib.import_module("roles._site").SiteSettings
    for name in roles.names():
        yield name, roles.load(name).settings


def without_changes(kind: Any) -> Any:
    """A field's type without what says how it may change."""
    if get_origin(kind) is not Annotated:
        return kind
    bare, *metadata = get_args(kind)
    kept = [each for each in metadata if not isinstance(each, Changes)]
    return Annotated[bare, *kept] if kept else bare


def leaves(kind: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """(path, type) of every value inside a type; '*' stands for a place in a list, 'key' for a name in a mapping."""
    kind = without_changes(kind)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        for field in msgspec.structs.fields(kind):
            yield from leaves(field.type, (*path, field.encode_name))
    elif get_origin(kind) is dict:
        name, value = get_args(kind)
        yield from leaves(name, (*path, "(key)"))
        yield from leaves(value, (*path, "*"))
    elif get_origin(kind) in (tuple, list):
        yield from leaves(get_args(kind)[0], (*path, "*"))
    else:
        yield path, kind


LEAVES = [leaf for name, kind in settings() for leaf in leaves(kind, (name,))]


def test_no_setting_of_any_role_is_a_bare_str() -> None:
    assert len(LEAVES) > 90
    assert [".".join(path) for path, kind in LEAVES if kind is str] == []


def test_only_the_fields_of_kubelets_configuration_are_untyped() -> None:
    assert [".".join(path) for path, kind in LEAVES if kind is Any] == ["kubelet.config.*"]


@pytest.mark.parametrize("name", TYPES)
def test_a_type_says_what_it_is_and_takes_its_example(name: str) -> None:
    meta = next(each for each in TYPES[name].__metadata__ if isinstance(each, msgspec.Meta))
    assert meta.title
    for example in meta.examples or []:
        assert msgspec.convert(example, TYPES[name]) == example


def test_every_default_is_one_that_its_type_takes() -> None:
    for _, kind in settings():
        made = kind()
        assert msgspec.convert(msgspec.to_builtins(made), kind) == made


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("Address", "10.4.7.10", "10.4.7.254; }; evil {"),
        ("Address", "0.0.0.0", "10.4.7.256"),
        ("AddressMatch", "!10.0.0.0/8", "key x"),
        ("AnyAddress", "fe80::1", "fe80"),
        ("AptSource", "deb http://deb.debian.org/debian bookworm main contrib", "deb http://x ./\ndeb http://y ./"),
        ("Argument", "--feature-gates=A=true,B=false", "-v=2"),
        ("Domain", "xn--bcher-kva.example", "x$(touch /tmp/p)"),
        ("Domain", "od.com", "od.com."),
        ("Duration", "1h30m", "banana"),
        ("Duration", "60", "10 s"),
        ("FilePath", "/data/etcd-1", "data/etcd"),
        ("FilePath", "/data", "/data/"),
        ("FlagName", "conntrack-min", "proxy_mode"),
        ("FlagValue", "it's \\ $(literal) ` \" ä", "two\nlines"),
        ("FlagValue", "", "\ud800"),
        ("Forwarder", "10.4.7.254 port 5353", "10.4.7.254 port"),
        ("HeaderSize", "4096", "0k"),
        ("HeaderSize", "1m", "64"),
        ("ImageReference", "localhost:5000/a/b:1.2@sha256:" + "0" * 64, "docker.io/library/nginx latest"),
        ("ImageReference", "nginx:1.28", "NGINX"),
        ("Network", "172.7.0.0/16", "172.7.0.0/33"),
        ("OptionalNetwork", "", "172.7.0.0"),
        ("PackageName", "g++", "curl-"),
        ("PortRange", "3000-29999", "3000;29999"),
        ("RecordName", "*.apps", "a b"),
        ("Sha256", "0" * 64, "0" * 63),
        ("Size", "0", "100 MB"),
        ("SysctlValue", "|/usr/bin/core %p", "1'"),
        ("Timeout", "1m30s", "0s"),
        ("Timeout", "1", "0"),
        ("Upstream", "/etc/resolv.conf", "8.8.8.8 9.9.9.9"),
        ("Url", "http://10.4.7.200/bin/kubelet?v=1&x=%20", "http://ops/$(touch /tmp/p)"),
        ("Url", "https://[fe80::1]:8443/x;y", "ftp://ops/x"),
        ("Version", "1.34.4", "v1.34.4"),
    ],
)
def test_a_type_tells_right_from_wrong(name: str, good: str, bad: str) -> None:
    assert msgspec.convert(good, TYPES[name]) == good
    for wrong in (bad, f"{good}\n", f"{good}\nx"):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(wrong, TYPES[name])


def test_the_documented_types_are_those_that_there_are() -> None:
    documented = (ROOT / "docs" / "settings.md").read_text().partition("\n## Types\n")[2].splitlines()
    rows = [_row(name, kind) for name, kind in sorted(TYPES.items())]
    assert [line for line in documented if line.startswith("| `")] == rows, "\n".join(rows)


def _row(name: str, kind: Any) -> str:
    meta = next(each for each in kind.__metadata__ if isinstance(each, msgspec.Meta))
    (example,) = meta.examples or [""]
    shown = example if len(str(example)) <= 50 else f"{example[:12]}…"
    return f"| `{name}` | {meta.title} | `{shown}` |"
