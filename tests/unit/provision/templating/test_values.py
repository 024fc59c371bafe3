"""Variables with Jinja in them give what ansible-core gives: values.yml holds its answers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from provision.errors import InputError
from provision.inventory import Inventory
from provision.inventory.model import Host
from provision.templating import filters

TABLE = yaml.safe_load(Path(__file__).with_name("values.yml").read_text())
HOSTS = """
all:
  hosts: {h1.lan: {mine: one}, h2.lan: {mine: two}, h3: {}}
  children:
    web: {hosts: {h1.lan: , h2.lan: }}
    db: {hosts: {h3: }}
"""


def site(folder: Path, variables: dict[str, Any]) -> Host:
    """Host h1.lan of a site with the table's variables, and `variables`."""
    (folder / "files").mkdir(parents=True)
    (folder / "files/note.txt").write_text("in a file\n\n")
    (folder / "beside.txt").write_text("beside")
    (folder / "hosts.yml").write_text(HOSTS)
    (folder / "group_vars").mkdir()
    (folder / "group_vars/all.yml").write_text(filters.yaml({**TABLE["variables"], **variables}))
    return Inventory.load([folder / "hosts.yml"], cwd=folder).host("h1.lan")


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    cases = [text for text, _ in TABLE["cases"]]
    variables = {f"c{n}": text for n, text in enumerate([*cases, *TABLE["errors"], *TABLE["refused"]])}
    folder = tmp_path_factory.mktemp("values") / "site"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ORACLE_X", "envval")
        patch.delenv("ORACLE_NOPE", raising=False)
        known = site(folder, variables)
        patch.chdir(folder)
        yield known


def exact(value: Any) -> str:
    """A text that tells 1 from 1.0 and from true."""
    return json.dumps(value, default=str)


@pytest.mark.parametrize("number", range(len(TABLE["cases"])))
def test_a_value_is_what_ansible_makes_of_it(host: Host, number: int) -> None:
    text, expected = TABLE["cases"][number]
    assert exact(host.var(f"c{number}")) == exact(expected), text


@pytest.mark.parametrize("number", range(len(TABLE["errors"] + TABLE["refused"])))
def test_a_value_that_fails_names_its_host_and_line(host: Host, number: int) -> None:
    with pytest.raises(InputError) as caught:
        host.var(f"c{number + len(TABLE['cases'])}")
    assert str(caught.value).startswith("h1.lan, group_vars/all.yml:1: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{{ nope }}", ["'nope' is not set"]),
        ("{{ numbr }}", ["'numbr' is not set", "Did you mean 'number'?"]),
        ("{{ tree.laef }}", ["'laef' is not set", "Did you mean 'leaf'?"]),
        ("{{ ansible_default_ipv4.address }}", ["'ansible_default_ipv4' is not set", "set it in the inventory"]),
        ("{{ ansible_play_hosts }}", ["'ansible_play_hosts' is not set", "set it in the inventory"]),
        ("{{ 'y' if false }}", ["'if' without 'else'", "Add the 'else'"]),
        ("{{ number.bit_length }}", ["which is no value", "called with ()"]),
        ("{{ nope | default(omit) }}", ["is 'omit'", "leave the variable out"]),
        ("{{ nope | mandatory('Say which') }}", ["Say which"]),
        ("{{ '10.0.0.1' | ipaddr }}", ["there is no filter 'ipaddr'", "ansible.utils", "Write the value out"]),
        ("{{ '10.0.0.1' | ansible.utils.ipaddr }}", ["'ansible.utils.ipaddr'", "Write the value out"]),
        ("{{ [] | community.general.counter }}", ["'community.general.counter'", "Collections are not read"]),
        ("{{ 'x' | password_hash }}", ["'password_hash'", "openssl passwd -6"]),
        ("{{ names | random }}", ["seed=inventory_hostname"]),
        ("{{ names | shuffel }}", ["there is no filter 'shuffel'", "Did you mean 'shuffle'?"]),
        ("{{ names | map('shuffel') }}", ["there is no filter 'shuffel'"]),
        ("{{ number is evne }}", ["there is no test 'evne'", "Did you mean 'even'?"]),
        ("{{ number is changed }}", ["there is no test 'changed'", "no tasks here"]),
        ("{{ lookup('pipe', 'date') }}", ["there is no lookup 'pipe'", "runs a program", "--extra-vars"]),
        ("{{ lookup('flie', 'x') }}", ["there is no lookup 'flie'", "Did you mean 'file'?"]),
        ("{{ lookup('file', 'nope.txt') }}", ["there is no file 'nope.txt'", "files/nope.txt"]),
        ("{{ lookup('vars', 'numbr') }}", ["'numbr' is not set", "Did you mean 'number'?"]),
    ],
)
def test_a_failure_says_what_to_do(tmp_path: Path, text: str, words: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        site(tmp_path / "site", {"asked": text}).var("asked")
    for word in ["h1.lan, group_vars/all.yml:1: ", *words]:
        assert word in str(caught.value)


def test_an_error_names_the_line_of_the_variable_behind_it(tmp_path: Path) -> None:
    (tmp_path / "hosts.yml").write_text('all:\n  hosts: {h1: }\n  vars:\n    a: "{{ b }}x"\n    b: "{{ nope }}"\n')
    with pytest.raises(InputError, match=r"hosts\.yml:5: the variable 'b'.*'nope' is not set"):
        Inventory.load([tmp_path / "hosts.yml"]).host("h1").var("a")


def test_what_a_template_changes_is_changed_nowhere_else(tmp_path: Path) -> None:
    texts = ["{% set _ = names.append('z') %}{{ names }}", "{% set _ = tree.update(other=2) %}{{ tree.other }}"]
    texts += ["{% set _ = hostvars['h2.lan'].names.append('z') %}{{ groups.web.append('z') }}{{ groups.web }}"]
    host = site(tmp_path / "site", {"a": texts[0], "b": texts[1], "c": texts[2], "d": "{{ names }}"})
    assert (host.var("a"), host.var("b")) == (["x", "y", "x", "z"], 2)
    assert host.var("c") == ["h1.lan", "h2.lan", "z"]
    assert host.var("d") == host.var("names") == host.inventory.host("h2.lan").var("names") == ["x", "y", "x"]
    assert host.var("tree")["other"] == 1
    assert host.inventory.groups["web"] == ("h1.lan", "h2.lan")


PIECES = st.sampled_from(
    re.findall(
        r"\S+",
        r"""{{ }} {% %} {# #} - \ ' " ( ) [ ] { } | . , : if else endif for in endfor set is not defined default nope
        names tree number hostvars groups omit lookup 'vars' 'env' range 1 0 + * / % ~ == map 'upper' flatten combine
        to_yaml from_yaml self loop macro __class__ x""",
    )
)


@settings(deadline=None)
@given(st.lists(PIECES, max_size=14).map(" ".join) | st.text(max_size=20).map("{{{{ {} }}}}".format))
@example("{{ 'y' if false }}")
@example("{{ [].append }}")
@example("{{ " + "(" * 3000 + " }}")
def test_no_text_whatever_ends_in_a_traceback(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    known = site(tmp_path_factory.mktemp("fuzz") / "site", {"asked": text})
    try:
        exact(known.var("asked"))
    except InputError:
        return
