"""Structures that hypothesis makes, written as INI and as YAML: what Ansible sees in each is what this toolkit sees."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.ansible.compare import Compare
from tests.ansible.conftest import Write

GROUPS = ("web", "db", "a-b", "z.1", "Mid", "k")
HOSTS = ("h1", "h2", "h[1:3]", "n[01:03]", "x[a:b].od.com", "10.0.0.5", "10.0.1.[1:2]:2222", "2001:db8::1", "h1:22")
NAMES = ("a", "b", "c")
VALUES: st.SearchStrategy[Any] = st.one_of(
    st.integers(-10, 99),
    st.booleans(),
    st.sampled_from(("", "text", "two words", "08", "1.5", "yes", "None", "{{ b }}", "a=b", "#x", "it's", '"q"')),
    st.lists(st.integers(0, 9) | st.sampled_from(("x", "{{ c }}")), max_size=2),
    st.dictionaries(st.sampled_from(("k", "l")), st.integers(0, 9), max_size=2),
)
# Only the last of a, b and c may hold a template of another, so that none needs itself.
VARIABLES = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=3).map(lambda found: ordered(found))


@dataclass(frozen=True)
class Group:
    """A group as it is written. children: names of later groups, so that none is inside itself."""

    hosts: Mapping[str, Mapping[str, Any]]
    children: tuple[str, ...] = ()
    variables: Mapping[str, Any] = field(default_factory=dict)


def ordered(found: Mapping[str, Any]) -> dict[str, Any]:
    """Variables in which `a` may use b and c, `b` only c, and `c` none."""
    unwanted = {"a": (), "b": ("{{ b }}",), "c": ("{{ b }}", "{{ c }}")}
    return {
        name: 0 if any(text in json.dumps(value) for text in unwanted[name]) else value for name, value in found.items()
    }


@st.composite
def inventories(draw: st.DrawFn) -> dict[str, Group]:
    """Groups by name, in the order in which they are written."""
    names = draw(st.lists(st.sampled_from(GROUPS), min_size=1, unique=True))
    made = {}
    for place, name in enumerate(names):
        later = names[place + 1 :]
        children = tuple(draw(st.lists(st.sampled_from(later), unique=True, max_size=3))) if later else ()
        priority = draw(st.dictionaries(st.just("ansible_group_priority"), st.integers(-3, 20)))
        hosts = draw(st.dictionaries(st.sampled_from(HOSTS), VARIABLES, max_size=3))
        made[name] = Group(hosts, children, {**draw(VARIABLES), **priority})
    order = draw(st.permutations(names))
    return {"all": Group({"lone": {}}, (), draw(VARIABLES)), **{name: made[name] for name in order}}


def as_yaml(groups: Mapping[str, Group]) -> str:
    """The groups as a YAML inventory; JSON is YAML."""
    return json.dumps(
        {
            name: {"hosts": group.hosts, "children": dict.fromkeys(group.children), "vars": group.variables}
            for name, group in groups.items()
        }
    )


def as_ini(groups: Mapping[str, Group]) -> str:
    """The groups as an INI inventory: values are Python literals, quoted once more on a host's line."""
    lines = []
    for name, group in groups.items():
        lines.append(f"[{name}]")
        for host, variables in group.hosts.items():
            lines.append(" ".join((host, *(f"{key}={quoted(repr(value))}" for key, value in variables.items()))))
        lines += [f"[{name}:children]", *group.children] if group.children else []
        lines += [f"[{name}:vars]", *(f"{key} = {value!r}" for key, value in group.variables.items())]
    return "\n".join(lines) + "\n"


def quoted(text: str) -> str:
    """A word of a shell's."""
    return "'" + text.replace("'", "'\"'\"'") + "'"


@settings(
    max_examples=120, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(inventories())
def test_ini_and_yaml_of_any_structure_are_ansibles(
    compare: Compare, write: Write, groups: Mapping[str, Group]
) -> None:
    folder = write({"ini/hosts": as_ini(groups), "yaml/hosts.yml": as_yaml(groups)})
    ini = compare.same(folder / "ini")
    yaml = compare.same(folder / "yaml/hosts.yml")
    assert sorted(host.name for host in ini.hosts) == sorted(host.name for host in yaml.hosts)


@settings(max_examples=40, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(inventories(), inventories(), st.dictionaries(st.sampled_from((*GROUPS, "all")), VARIABLES, max_size=3))
def test_two_sources_and_group_vars_have_ansibles_precedence(
    compare: Compare,
    write: Write,
    first: Mapping[str, Group],
    second: Mapping[str, Group],
    variables: Mapping[str, Mapping[str, Any]],
) -> None:
    files = {f"{place}/group_vars/{name}.yml": json.dumps(found) for name, found in variables.items() for place in "ab"}
    folder = write({"a/hosts.yml": as_yaml(first), "b/hosts": as_ini(second), **files, "a/host_vars/h1": "a: 7\n"})
    compare.same(folder / "a", folder / "b", playbook_dir=folder / "b")
