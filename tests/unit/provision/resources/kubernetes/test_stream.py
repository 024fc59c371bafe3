"""Manifests are read as kubectl takes them, and what it refuses is refused with its line."""

from __future__ import annotations

import pytest

from provision.errors import InputError
from provision.resources.kubernetes.diff import parse
from provision.resources.kubernetes.stream import read_stream

REFUSED = [
    ("a: [", "a.yaml:2:1", "not YAML"),
    ("b: 1\na\x00: 1", "a.yaml:2", r"not YAML.*U\+0000"),
    ("b: é\na: \x07", "a.yaml:2", r"not YAML.*U\+0007"),
    ("a: 1\nb: !!binary aGVsbG8=", "a.yaml:2", "no JSON.*!!binary"),
    ("a: 1\nb: !!set {x, y}", "a.yaml:2", "no JSON.*!!set"),
    ("a: 1\nb: !vault x", "a.yaml:2", "no JSON.*!vault"),
    ("a: 1\nb: !!python/object:os.system {}", "a.yaml:2", "no JSON"),
    ("a: 1\nb: .inf", "a.yaml:2", "no JSON.*no number"),
    ("a: 1\nb: .NaN", "a.yaml:2", "no JSON.*no number"),
    ("a: 1\nb: " + "9" * 5000, "a.yaml:2", "no JSON.*no number"),
    ('a: 1\nb: "\\ud800"', "a.yaml:2", "no JSON|not YAML"),
    ("a: 1\nb: 2\na: 3", "a.yaml:3", "'a' twice in one object.*line 1"),
    ("a: {x: 1,\n  x: 2}", "a.yaml:2", "'x' twice in one object"),
    ("a: " + "[" * 3000 + "]" * 3000, "a.yaml", "no manifest"),
    ("a: &a {b: *a}", "a.yaml:1", "no manifest"),
    ("a: 1\nb: !!int x", "a.yaml", "not YAML"),
]


@pytest.mark.parametrize(("text", "line", "said"), REFUSED, ids=range(len(REFUSED)))
def test_what_kubectl_refuses_is_refused_with_its_line(text: str, line: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as raised:
        list(read_stream(text, "a.yaml"))
    assert raised.value.explanation.line.startswith(line)
    assert raised.value.explanation.do
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("date", ["2020-01-02", "2020-13-45", "2020-01-02T03:04:05Z"])
def test_a_date_is_text(date: str) -> None:
    assert next(read_stream(f"a: {date}", "a.yaml"))[0] == {"a": date}


OBJECT = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n"


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (f"{OBJECT}---\n- 1\n", "a.yaml:5", "no object"),
        (OBJECT.replace("v1", "5"), "a.yaml:1", "no apiVersion"),
        (OBJECT.replace("name: a", "name: 5"), "a.yaml:1", "no metadata.name"),
        ("kind: List\nitems: 5\n", "a.yaml:1", "List of nothing"),
    ],
)
def test_what_is_no_object_is_refused_with_its_line(text: str, line: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as raised:
        parse(text, "a.yaml")
    assert raised.value.explanation.line == line
