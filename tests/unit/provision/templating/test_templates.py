"""Templates: strict, and wrong ones told with their line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from provision.errors import Exit, InputError
from provision.inventory import Inventory
from provision.templating import filters
from provision.templating.templates import Templates

Write = Callable[[Mapping[str, str]], Path]


def render(write: Write, text: str, variables: Mapping[str, object], **more: str) -> str:
    folder = write({"templates/edge/x.j2": text, **more})
    return Templates([folder / "templates"], folder / "cache").render("edge/x.j2", variables, host="h1", role="edge")


KEYS = st.text(max_size=90)  # YAML's own limit is 1024 characters, and an escaped one takes ten


@settings(deadline=None)
@given(st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner)))
def test_what_is_written_as_yaml_is_read_back_as_it_was(value: object) -> None:
    assert yaml.safe_load(filters.yaml(value)) == value
    assert yaml.safe_load(f"a:\n- {{b: {filters.yaml(value)}}}") == {"a": [{"b": value}]}


def test_blocks_leave_no_line_and_the_last_newline_stays(write: Write) -> None:
    text = "a\n{% for n in nodes %}\n  {% if n %}\n  server {{ n }};\n  {% endif %}\n{% endfor %}\nz\n"
    assert render(write, text, {"nodes": ["one", "", "two"]}) == "a\n  server one;\n  server two;\nz\n"


def test_only_what_a_template_uses_is_evaluated(write: Write) -> None:
    folder = write(
        {
            "hosts.yml": 'all: {vars: {good: "{{ 1 + 1 }}", bad: "{{ nope }}"}, hosts: {h1: }}',
            "templates/x.j2": "{{ good }}",
            "templates/y.j2": "1\n2\n{{ bad }}",
        }
    )
    templates = Templates([folder / "templates"], folder / "cache")
    variables = Inventory.load([folder / "hosts.yml"], cwd=folder).host("h1").vars
    assert templates.render("x.j2", variables) == "2"
    with pytest.raises(InputError, match=r"hosts\.yml:1.*'bad'.*'nope' is not set"):
        templates.render("y.j2", variables)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a\nb\n{{ domian }}\n", ["templates/edge/x.j2:3", "'domian'", "Did you mean 'domain'?"]),
        ("a\n{{ site.vpi }}\n", ["templates/edge/x.j2:2", "'vpi'", "Did you mean 'vip'?"]),
        ("\n\n{% if domian %}{% endif %}", ["templates/edge/x.j2:3", "'domian'"]),
        ("{{ site }}{{ domain.nope.more }}", ["templates/edge/x.j2:1", "'nope'"]),
        ("a\n{% for x in y %}\n", ["templates/edge/x.j2:2", "endfor"]),
        ("a\n{{ x", ["templates/edge/x.j2:2", "can't be read"]),
        ("a\n{{ 1 | frist }}", ["templates/edge/x.j2:2", "frist"]),
        ("a\n{{ 'od.com; }' | word }}", ["templates/edge/x.j2:2", "'od.com; }' is more than one plain word"]),
        ("a\n\n{{ domain + 1 }}", ["templates/edge/x.j2:3", "TypeError"]),
        ("a\n{% include 'edge/inner.j2' %}", ["templates/edge/inner.j2:2", "'domian'"]),
        ("{% include 'edge/iner.j2' %}", ["there is no template 'edge/iner.j2'", "Did you mean 'edge/inner.j2'?"]),
    ],
)
def test_a_template_that_cannot_be_rendered_is_told_with_its_line(write: Write, text: str, words: list[str]) -> None:
    variables = {"domain": "od.com", "site": {"vip": 1}}
    with pytest.raises(InputError) as caught:
        render(write, text, variables, **{"templates/edge/inner.j2": "\n{{ domian }}"})
    assert caught.value.exit == Exit.BAD_INPUT
    for word in ["h1", "role edge", *words]:
        assert word in str(caught.value)


def test_a_cached_template_reports_the_same_line(write: Write) -> None:
    for text, line in (("\n{{ nope }}", "x.j2:2"), ("\n{{ nope }}", "x.j2:2"), ("{{ nope }}", "x.j2:1")):
        with pytest.raises(InputError, match=line):
            render(write, text, {})


def test_compiled_templates_are_kept_where_only_their_owner_can_write(write: Write, tmp_path: Path) -> None:
    render(write, "x", {})
    (folder,) = (tmp_path / "cache").iterdir()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert list(folder.iterdir())


def test_a_cache_that_cannot_be_written_costs_time_and_not_the_run(write: Write) -> None:
    assert render(write, "x", {}, cache="a file stands where the folder should be") == "x"
