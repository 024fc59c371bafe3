"""The answers in values.yml are Ansible's, and so are patterns and the names of filters and tests."""

from __future__ import annotations

import json
import subprocess

from provision.templating import refused
from provision.templating.lookups import LOOKUPS
from provision.templating.native import NativeEnvironment
from tests.ansible.compare import Compare
from tests.ansible.conftest import Write
from tests.ansible.environment import python
from tests.ansible.plain import plain
from tests.unit.provision.templating.test_values import HOSTS, TABLE

GROUPS = """
all:
  hosts: {"2001:db8::1": , "2001:db8::2": }
  children:
    nodes: {hosts: {h1: , h2: , h3: , db-a.lan: , db-b.lan: }}
    masters: {hosts: {h1: , h2: , h5: }}
    edge: {hosts: {h5: , h9: }}
    none: {hosts: {}}
    h9: {hosts: {h1: }}
"""
PATTERNS = (
    *("all", "*", "nodes", "h2,h1", "h2 h1", "edge, h1", "nodes : &masters", "nodes !masters", "nodes:!h2", "!nodes"),
    *("&edge", "!masters:nodes", "h?", "*.lan", "m*s", "~h(1|5)", "nodes:!~h.*", "nodes[0]", "nodes[-1]", "nodes[0:1]"),
    *("nodes[3:]", "nodes[3:99]", "nodes[0:0]", "nodes[7:9]", "edge[1:]", "none", "none[0]", "none[1:]", "h*[0:1]"),
    *("h9", "!h9", "h9[0]", "h9*", "2001:db8::1", "2001:db8::1,h1", "all,!2001:db8::1", "masters,edge", "edge,masters"),
)


def test_the_table_of_values_is_ansibles(compare: Compare, write: Write) -> None:
    texts = [*(text for text, _ in TABLE["cases"]), *TABLE["errors"], *TABLE["refused"]]
    variables = {**TABLE["variables"], **{f"c{number}": text for number, text in enumerate(texts)}}
    files = {"hosts.yml": HOSTS, "files/note.txt": "in a file\n\n", "beside.txt": "beside"}
    folder = write({**files, "group_vars/all.yml": json.dumps(variables)})
    found = compare.ansible.load([folder / "hosts.yml"], folder)["hosts"]["h1.lan"]
    wrong = {
        text: found[f"c{number}"]
        for number, (text, expected) in enumerate(TABLE["cases"])
        if found[f"c{number}"] != {"value": plain(expected)}
    }
    assert not wrong
    for number, text in enumerate(texts[len(TABLE["cases"]) :], len(TABLE["cases"])):
        assert ("error" in found[f"c{number}"]) is (text in TABLE["errors"]), text


def test_patterns_mean_what_they_mean_to_ansible(compare: Compare, write: Write) -> None:
    compare.same(write({"hosts.yml": GROUPS}) / "hosts.yml", patterns=PATTERNS)


NAMES = """
import json, pkgutil
from ansible.plugins import lookup
from ansible.plugins.filter import core, encryption, mathstuff, urls, urlsplit
from ansible.plugins.test import core as checks, files, mathstuff as sets, uri

print(json.dumps({
    "filters": [x for each in (core, encryption, mathstuff, urls, urlsplit) for x in each.FilterModule().filters()],
    "tests": [x for each in (checks, files, sets, uri) for x in each.TestModule().tests()],
    "lookups": [each.name for each in pkgutil.iter_modules(lookup.__path__)],
}))
"""


def test_each_filter_test_and_lookup_is_had_or_refused_by_name() -> None:
    known = json.loads(subprocess.run([python(), "-c", NAMES], check=True, capture_output=True, text=True).stdout)
    environment = NativeEnvironment()
    assert not [name for name in known["filters"] if name not in environment.filters and name not in refused.FILTERS]
    assert not [name for name in known["tests"] if name not in environment.tests and name not in refused.CHECKS]
    assert not [name for name in known["lookups"] if name not in {**LOOKUPS, **refused.LOOKUPS}]


LAZY = {
    "raw": {"k": "{{ nope }}", "j": 1},
    "other": "{{ hostvars.h2 }}",
    "own": "{{ hostvars[inventory_hostname] }}",
    "same": "{{ raw }}",
    "set": "{% set x = raw %}{{ x }}",
    "items": "{{ [nope, raw, 1] }}",
    "every": "{{ ['h2'] | map('extract', hostvars) | list }}",
    "second": "{{ other }}",
    **{
        f"c{number}": text
        for number, text in enumerate(
            (
                *(
                    "{{ other.ok }}",
                    "{{ other['ok'] | d('no') }}",
                    "{{ other.bad | d('none') }}",
                    "{{ other.no | d(1) }}",
                ),
                *("{{ second.ok }}", "{{ second.bad | d('none') }}", "{{ own.raw.j }}", "{{ (other | d({})).ok }}"),
                *("{{ items[2] }}", "{{ items[1].j }}", "{{ items[0] | d('x') }}", "{{ items | length }}"),
                *(
                    "{{ same.j }}",
                    "{{ same.k is defined }}",
                    "{{ same is defined }}",
                    "{{ same | d(3) }}",
                    "{{ set.j }}",
                ),
                *("{{ every[0].ok }}", "{{ every | map(attribute='ok') | list }}", "{{ raw.k | d(other.ok) }}"),
            )
        )
    },
}


def test_what_a_text_gives_is_evaluated_where_it_is_used(compare: Compare, write: Write) -> None:
    hosts = {"h1": LAZY, "h2": {"ok": 1, "bad": "{{ nope }}"}}
    compare.same(write({"hosts.yml": json.dumps({"all": {"hosts": hosts}})}))


LISTS = {
    "one": 5,
    "word": "hi",
    "flat": [1, "{{ one }}", "{{ word }}"],
    "deep": ["{{ word }}", {"k": "{{ one }}"}],
    "again": "{{ flat }}",
    "tree": {"a": "{{ one }}", "b": {"c": "{{ word }}"}},
    "other": {"b": {"c": "{{ one }}", "x": "{{ word }}"}, "z": ["{{ one }}"]},
    "alias": "{{ tree }}",
}
OPERATIONS = (
    *("{{ X + Y }}", "{{ X == Y }}", "{{ X != Y }}", "{{ X < Y }}", "{{ X ~ Y }}", "{{ X in Y }}", "{{ X * 2 + Y }}"),
    *("{{ [X, Y] }}", "{{ [] + X + Y }}", "{{ {'l': X, 'm': Y} }}", "{{ X[0:1] + Y[1:] }}", "{{ [X, Y] | flatten }}"),
    *("{{ X | combine(Y) }}", "{{ X | combine(Y, recursive=true, list_merge='append') }}", "{{ dict(X, **Y) }}"),
    *(
        "{{ X | zip(Y) | list }}",
        "{{ X | product(Y) | list }}",
        "{{ X | to_json }}{{ Y | to_yaml }}",
        "{{ X | join(Y) }}",
    ),
    *("{% set x = X %}{% set _ = x.extend(Y) %}{{ x }}", "{% set x = X %}{% set _ = x.update(Y) %}{{ x }}"),
)


def test_operations_on_templates_within_templates_are_ansibles(compare: Compare, write: Write) -> None:
    pairs = [(x, y) for x in ("flat", "again", "tree", "alias", "other") for y in ("deep", "again", "other")]
    texts = [text.replace("X", x).replace("Y", y) for text in OPERATIONS for x, y in pairs]
    variables = {**LISTS, **{f"c{number}": text for number, text in enumerate(texts)}}
    compare.same(write({"hosts.yml": json.dumps({"all": {"hosts": {"h": variables}}})}))
