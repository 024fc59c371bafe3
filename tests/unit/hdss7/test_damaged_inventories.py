"""No inventory, however damaged, ends a command in anything but a paragraph that names the file."""

from __future__ import annotations

import codecs
import contextlib
import io
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hdss7 import inspect
from hdss7.options import Options
from provision.errors import Exit, InputError
from tests.unit.vaults import encrypted, value

FOLDER = "place"
FUZZ = settings(
    max_examples=150, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project of one play, and the current folder: its inventory is in `place`."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "site.yml").write_text("- {name: all, hosts: all, roles: [edge]}\n")
    with contextlib.chdir(folder):
        yield folder


def outcome(source: str, *extra_vars: str, limit: str | None = None) -> str:
    """What `hosts` and `lint` say of an inventory: "" when they read it, else why not."""
    given: dict[str, Any] = {"inventory": (source,), "extra_vars": extra_vars}
    calls: tuple[Callable[[], int], ...] = (
        lambda: inspect.hosts(Options(**given, json=True)),
        lambda: inspect.hosts(Options(**given, verbose=1)),
        lambda: inspect.lint(Options(**given, limit=limit)),
    )
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        for call in calls:
            try:
                assert call() in (Exit.OK, Exit.BAD_INPUT)
            except InputError as error:
                return told(error)
    return ""


def told(error: InputError) -> str:
    """The error's text, after asserting that it is one short paragraph."""
    text = str(error)
    assert error.exit == Exit.BAD_INPUT
    assert "\n" not in text
    assert len(text) < 1500
    return text


@contextlib.contextmanager
def written(project: Path, files: Mapping[str, bytes]) -> Iterator[str]:
    """The files, in a folder that is gone afterwards: its name."""
    folder = project / FOLDER
    try:
        for name, data in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        yield FOLDER
    finally:
        shutil.rmtree(folder)


USUAL = ("all", "web", "db", "a", "b", "h1", "h[1:3]", "hosts", "children", "vars", "localhost", "edge", "site")
ODD: tuple[Any, ...] = (
    *(1, 1.5, None, True, "", "~x", "a b", "é", "a\nb", "\u2028", "h:", "[", "h[1:99999999]", "h[1:2", "::1", "<<"),
    *("ansible_host", "ansible_port", "ansible_connection", "ansible_become", "ansible_group_priority", "x" * 300),
    *(
        "ansible_ssh_common_args",
        "dial",
        "known_hosts",
        "hdss7_dial",
        "hdss7_transport",
        "plugin",
        "_meta",
        "groups",
        "inventory_dir",
    ),
)
TEMPLATES = ("{{ a }}", "{{ hostvars }}", "{{ groups }}", "{{ nope }}", "{% if %}", "{{ 10 ** 9999 }}", "{{ vars }}")
TEXTS = ("", "text", "local", "-J a", '-o ProxyCommand="x', "\x01", "\x85", "~nobody/x", "#jinja2: x", *TEMPLATES)
KEYS = st.sampled_from(USUAL) | st.sampled_from(USUAL) | st.sampled_from(ODD)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(TEXTS) | st.dates()
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=3))
HOSTS = st.dictionaries(KEYS, st.dictionaries(KEYS, VALUES, max_size=2) | LEAVES, max_size=3)
GROUPS = st.recursive(
    st.fixed_dictionaries({"hosts": HOSTS}, optional={"vars": st.dictionaries(KEYS, VALUES, max_size=2)}),
    lambda inner: st.fixed_dictionaries({"hosts": HOSTS, "children": st.dictionaries(KEYS, inner, max_size=2)}),
    max_leaves=4,
)
YAML = (st.dictionaries(KEYS, GROUPS, max_size=3) | VALUES).map(lambda data: str(yaml.safe_dump(data)))
SECTIONS = ("[web]", "[web:vars]", "[web:children]", "[all:vars]", "[db]", "[x:", "[]", "[a:b:c]", "[:vars]", "[web] x")
ENTRIES_OF_INI = (
    *("h1", "h2 a=1", "h[1:3] b={{ a }}", "h1:22", "[::1]:22", "db", "a=1", "a = {{ b }}", "b = {{ a }}", "=", "-"),
    *('x={"x": [1', 'x=b"\\xff"', "x={1,2}", "x=1e999", "x=" + "(" * 300, 'x="\\ud800"', "x=...", "x=" + "9" * 5000),
    *("---", "all:", "  hosts:", 'h1 "x', "h1 x", '"" a=1', "\0", "\x0b[web]", "h1\ta=\\", "a.b=1", "ansible_port=x"),
)
LINES = st.sampled_from(SECTIONS) | st.sampled_from(ENTRIES_OF_INI) | st.text(max_size=12)
INI = st.lists(LINES, max_size=8).map("\n".join)
NAMES = ("hosts", "hosts.yml", "hosts.ini", "more.json", "deep/hosts", "group_vars/all.yml", "group_vars/web", "x.md")
FILES = st.dictionaries(
    st.sampled_from(NAMES), (YAML | INI).map(lambda text: text.encode("utf-8", "replace")), min_size=1, max_size=3
)


@FUZZ
@given(FILES)
def test_any_structure_is_read_or_refused_by_file(project: Path, files: Mapping[str, bytes]) -> None:
    with written(project, files) as folder:
        error = outcome(folder)
        assert not error or FOLDER in error, error


GOOD = b"""all:
  vars: &vars {a: 1, b: "{{ a }}", list: [1, two]}
  children:
    web:
      hosts:
        h1: {ansible_host: 192.0.2.1}
        h[2:3]:
      vars:
        <<: *vars
        c: |
          text
"""
GOOD_INI = b"[web]\nh1 a=1 b='{{ a }}'\nh[2:3]:22\n[web:vars]\nc = [1, 'x']\n[top:children]\nweb\n"
Change = Callable[[bytes], bytes]
PLACES = st.integers(0, len(GOOD))
BYTES = st.sampled_from([b"\0", b"\xff", b"\xc3", b"\t", b"[" * 5000, b"- " * 3000, b"{{", b"*a ", b"&a ", b"!x "])


def recoded(name: str) -> Change:
    return lambda data: data.decode(errors="ignore").encode(name, "replace")


@st.composite
def changes(draw: st.DrawFn) -> Change:
    """Bytes lost, changed or added, or another encoding."""
    (start, end), more = sorted((draw(PLACES), draw(PLACES))), draw(BYTES)
    every: tuple[Change, ...] = (
        lambda data: data[:start],
        lambda data: data[:start] + data[end:],
        lambda data: data[:start] + more + data[start + 1 :],
        lambda data: data[:start] + more + data[start:],
        lambda data: data[:start] + data,
        lambda data: data[::-1],
        lambda data: codecs.BOM_UTF8 + data,
        lambda data: data.replace(b"\n", b"\r\n"),
        *map(recoded, ("utf-16", "utf-32", "utf-16-be", "latin-1")),
    )
    return draw(st.sampled_from(every))


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A good file after some changes."""
    data: bytes = draw(st.sampled_from([GOOD, GOOD_INI]))
    for change in draw(st.lists(changes(), min_size=1, max_size=3)):
        data = change(data)
    return data


@FUZZ
@given(damaged(), st.sampled_from(("hosts", "hosts.yml", "hosts.ini", "group_vars/web.yml", "host_vars/h1")))
def test_any_damage_is_read_or_refused_by_file(project: Path, data: bytes, name: str) -> None:
    with written(project, {"hosts.yml": GOOD, name: data}) as folder:
        for source in (folder, f"{folder}/{name.split('/')[0] if '/' not in name else 'hosts.yml'}"):
            error = outcome(source)
            assert not error or FOLDER in error, error


PAIRS: tuple[tuple[str, str], ...] = tuple(zip("abcdefghijklmnopqrstuvw", "bcdefghijklmnopqrstuvwx", strict=True))
ENTRIES: Mapping[str, Callable[[Path], None]] = {
    "a folder": lambda path: path.mkdir(),
    "a link to nowhere": lambda path: path.symlink_to("nowhere"),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a link to the folder above": lambda path: path.symlink_to(".."),
    "a link to its own folder": lambda path: path.symlink_to("."),
    "aliases that double": lambda path: _write(path, "a: &a [x]\n", *(f"{b}: &{b} [*{a}, *{a}]\n" for a, b in PAIRS)),
    "an anchor in itself": lambda path: _write(path, "all: &a {hosts: *a}\n"),
    "a key twice": lambda path: _write(path, "all: {hosts: {h1: , h1: }}\n"),
    "a long line": lambda path: _write(path, "all: {hosts: {h1: {a: '", "x" * 300_000, "'}}}\n"),
    "an encrypted file": lambda path: _write(path, encrypted("all: {}")),
    "half of an encrypted file": lambda path: _write(path, encrypted("all: {}")[:200]),
    "an encrypted value": lambda path: _write(path, f"all:\n  hosts:\n    h1:\n        a: {value('x')}"),
}


def _write(path: Path, *texts: str) -> None:
    path.write_text("".join(texts))


@pytest.mark.parametrize("place", ["hosts", "hosts.yml", "group_vars", "group_vars/web.yml", "host_vars/h1", "deep/x"])
@pytest.mark.parametrize("entry", ENTRIES)
def test_any_entry_of_a_folder_is_read_or_refused_by_name(project: Path, entry: str, place: str) -> None:
    with written(project, {"base.yml": GOOD}) as folder:
        path = project / folder / place
        path.parent.mkdir(exist_ok=True)
        ENTRIES[entry](path)
        for source in (folder, f"{folder}/base.yml", f"{folder}/{place}"):
            error = outcome(source)
            assert not error or FOLDER in error, error


JSON = VALUES.map(partial(json.dumps, default=str))
EXTRA = st.sampled_from(("a=1", "=", '"', "{", "[", "{1: 2}", "@", "@nope", "@~nobody/x", "@site.yml", "a.b=1", "[1]"))


@FUZZ
@given(st.lists(EXTRA | st.text(max_size=8) | JSON, max_size=3).map(" ".join))
def test_any_extra_variables_are_read_or_told_with_their_forms(project: Path, text: str) -> None:
    with written(project, {"hosts.yml": GOOD}) as folder:
        error = outcome(folder, text)
        if error and "h1" not in error:  # what is of the right form may be the wrong value of a host
            assert "extra" in error or text.strip()[1:] in error, error


PARTS = st.sampled_from(("h1", "web", "!", "&", "~", ":", ",", "[", "]", "0", "-1", "*", "(", "@", " "))


@FUZZ
@given(st.lists(PARTS).map("".join))
def test_any_limit_means_hosts_or_is_refused(project: Path, text: str) -> None:
    with written(project, {"hosts.yml": GOOD}) as folder:
        outcome(folder, limit=text)
