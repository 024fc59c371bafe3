"""site.yml: plays as they are meant, and Ansible's other keys refused with where they go instead."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import indent

import pytest

from provision.errors import Exit, InputError
from provision.playbook.plays import Play, RoleUse, load
from provision.playbook.serial import Share, batches
from provision.project import Project
from provision.search_path import SearchPath
from tests.unit.conftest import ROOT

Write = Callable[[Mapping[str, str]], Path]

SITE = """
- name: Every host
  hosts: all:!ops
  roles: [base]

- name: Nodes, one after the other
  hosts: [nodes, masters]
  tags: node
  serial: 1
  drain: edge
  gate: [traefik]
  soak: 15s
  max_fail: 1
  confirm: 30s
  roles:
    - kubelet
    - {role: traefik, tags: [ingress, manifests], once: true}
"""


def test_plays_are_read_in_order_with_their_lines(write: Write) -> None:
    assert load(write({"site.yml": SITE}) / "site.yml") == (
        Play("Every host", "all:!ops", (RoleUse("base", line="site.yml:4"),), line="site.yml:2"),
        Play(
            "Nodes, one after the other",
            "nodes,masters",
            (
                RoleUse("kubelet", line="site.yml:16"),
                RoleUse("traefik", ("ingress", "manifests"), once=True, line="site.yml:17"),
            ),
            tags=("node",),
            serial=(Share(1),),
            drain="edge",
            gate=("traefik",),
            soak=15.0,
            max_fail=1,
            confirm=30.0,
            line="site.yml:6",
        ),
    )


@pytest.mark.parametrize(("text", "seconds"), [("15s", 15), ("2m", 120), ("1.5", 1.5), ("0", 0), ("1 h", 3600)])
def test_a_soak_is_a_time(write: Write, text: str, seconds: float) -> None:
    (play,) = load(write({"site.yml": f"- {{hosts: all, roles: [base], soak: {text}}}"}) / "site.yml")
    assert play.soak == seconds
    assert play.name == "all"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("tasks: []", ["site.yml:4", "'tasks'", "roles/NAME.py"]),
        ("handlers: []", ["'handlers'", "activate="]),
        ("when: x", ["'when'", "group in the inventory"]),
        ("vars: {a: 1}", ["'vars'", "group_vars/"]),
        ("become: true", ["'become'", "ansible_become: true"]),
        ("import_playbook: x.yml", ["'import_playbook'", "one site.yml"]),
        ("gather_facts: false", ["'gather_facts'"]),
        ("serail: 1", ["'serail'", "Did you mean 'serial'?"]),
        ("zzz: 1", ["'zzz'", "It may have name, hosts"]),
        ("serial: 0", ["'serial' is a number of hosts", "0 was written"]),
        ("serial: 101%", ["'101%' was written", "25%"]),
        ("serial: [1, half]", ["'half'", "[1, 10, 25%]"]),
        ("serial: []", ["[] was written"]),
        ("serial: true", ["True was written"]),
        ("max_fail: x\n\nserial: 2", ["'max_fail' is a number of hosts", "'x' was written"]),
        ("max_fail: 2%\n\ndrain: edge", ["'max_fail' counts requests", "'2%' was written"]),
        ("max_fail: 2", ["'max_fail' has no effect", "Add 'serial'"]),
        ("max_fail_percentage: 30", ["'max_fail_percentage'", "Write max_fail: 30%"]),
        ("soak: soon", ["'soak' is a time", "15s"]),
        ("confirm: soon", ["'confirm' is a time", "15s"]),
        ("soak: true", ["'soak' is a time"]),
        ("drain: [a]", ["'drain'"]),
        ("tags: [1]", ["'tags'"]),
        ("hosts: nodes", ["'hosts' is written twice", "line 2"]),
    ],
)
def test_a_key_that_a_play_cannot_have_is_refused_with_where_it_goes(write: Write, line: str, words: list[str]) -> None:
    text = f"- name: x\n  hosts: all\n  roles: [base]\n{indent(line, '  ')}\n"
    with pytest.raises(InputError) as caught:
        load(write({"site.yml": text}) / "site.yml")
    assert caught.value.exit == Exit.BAD_INPUT
    for word in ["site.yml:4", *words]:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["site.yml", "no plays"]),
        ("name: x\nhosts: all\n", ["no plays", "- name"]),
        ("- base\n", ["site.yml:1", "a play holds"]),
        ("- hosts: all\n", ["site.yml:1", "no roles"]),
        ("- roles: [base]\n", ["no hosts"]),
        ("- hosts: 'nodes:'\n  roles: [base]\n", ["site.yml:1", "a part of 'nodes:' is empty"]),
        ("- hosts: all\n  roles: base\n", ["site.yml:2", "roles are a list"]),
        ("- hosts: all\n  roles:\n  - [x]\n", ["site.yml:3", "a role is a name"]),
        ("- hosts: all\n  roles:\n  - {role: x, when: y}\n", ["site.yml:3", "'when'", "in a role"]),
        ("- hosts: all\n  roles:\n  - {role: x, onec: true}\n", ["Did you mean 'once'?"]),
        ("- hosts: all\n  roles:\n  - {tags: x}\n", ["the role has no name"]),
        ("- hosts: all\n  roles:\n  - {role: x, once: maybe}\n", ["once is true or false"]),
        ("- hosts: all\n  roles: [base\n", ["site.yml:3:1"]),
    ],
)
def test_a_site_that_cannot_be_meant_is_told_in_one_paragraph(write: Write, text: str, words: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        load(write({"site.yml": text}) / "site.yml")
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("serial", "total", "sizes"),
    [
        ("1", 3, [1, 1, 1]),
        ("2", 5, [2, 2, 1]),
        ("10", 3, [3]),
        ('"30%"', 10, [3, 3, 3, 1]),
        ('"1%"', 3, [1, 1, 1]),  # rounded down, and one at least
        ('"100%"', 4, [4]),
        ("[1, 10, 25%]", 40, [1, 10, 10, 10, 9]),
        ("[1, 2]", 6, [1, 2, 2, 1]),
    ],
)
def test_serial_makes_the_batches_that_ansible_makes(write: Write, serial: str, total: int, sizes: list[int]) -> None:
    (play,) = load(write({"site.yml": f"- {{hosts: all, roles: [base], serial: {serial}}}"}) / "site.yml")
    hosts = list(range(total))
    assert [len(hosts[part]) for part in batches(play.serial, total)] == sizes


@pytest.mark.parametrize(("written", "batch", "may"), [("0", 10, 0), ("2", 10, 2), ("25%", 10, 2), ("5%", 10, 0)])
def test_so_many_hosts_of_a_batch_may_fail(write: Write, written: str, batch: int, may: int) -> None:
    text = f"- {{hosts: all, roles: [base], serial: 10, max_fail: {written}}}"
    (play,) = load(write({"site.yml": text}) / "site.yml")
    assert play.hosts_may_fail.of(batch) == may


def test_a_missing_site_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read site\.yml"):
        load(tmp_path / "site.yml")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("roles: [kubelett]", ["there is no role 'kubelett'. Did you mean kubelet?"]),
        ("drain: egde", ["there is no role 'egde'. Did you mean edge?"]),
        ("drain: bind", ["'drain' names bind", "define `health_check` in roles/bind.py"]),
        ("gate: [traefick]", ["there is no role 'traefick'. Did you mean traefik?"]),
    ],
)
def test_a_role_that_a_play_names_has_to_be_one(write: Write, line: str, words: list[str]) -> None:
    own = "roles: [kubelet]\n  " if "roles" not in line else ""
    root = write({"site.yml": f"- hosts: nodes\n  {own}{line}\n"})
    for name in ("roles", "templates"):
        (root / name).symlink_to(ROOT / name)
    with pytest.raises(InputError, match=r"site\.yml:\d") as caught:
        _ = Project(SearchPath.of(root), (ROOT / "inventory" / "lab",)).plays
    for word in words:
        assert word in str(caught.value)
