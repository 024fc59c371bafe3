"""What becomes of a secret in a resource: kept from others, or refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from provision.errors import FailedError, InputError
from provision.facts.host import ContentQuestion, FileQuestion, FileState, ShellAnswer, ShellQuestion
from provision.inventory import Inventory
from provision.inventory.vault import Password, Vault
from provision.plan.plan import Declaration, Item, compare, evidence, explained
from provision.playbook.plays import Play, RoleUse
from provision.playbook.roles import Roles
from provision.resources import Change, Command, ConfigSet, Download, File, Manifests, Nginx, Program
from provision.resources.base import Action, Rendering, Resource
from provision.resources.kubernetes.live import ObjectsQuestion
from provision.resources.optional.sensitive import protect
from provision.search_path import SearchPath
from provision.secret import HIDDEN, Redactor, secret
from tests.unit.vaults import value

Write = Callable[[Mapping[str, str]], Path]
WORD = "hunter22"
KEEPER = Redactor([secret(WORD)])


def rendered(resource: Resource, template: str = "") -> Resource:
    return Rendering(lambda _: template).resource(resource)


def test_a_file_that_a_secret_went_into_is_secret_and_must_be_closed() -> None:
    made = rendered(File(path="/a", mode="0600", content=f"x={WORD}"))
    assert isinstance(made, File)
    assert not made.secret
    kept = protect(made, KEEPER)
    assert isinstance(kept, File)
    assert (kept.secret, kept.content) == (True, f"x={WORD}".encode())
    assert WORD not in repr(kept)
    assert not protect(rendered(File(path="/a", content="x")), KEEPER).secret  # type: ignore[attr-defined]
    with pytest.raises(InputError, match="lets every user read it"):
        protect(rendered(File(path="/a", content=f"x={WORD}")), KEEPER)
    with pytest.raises(InputError, match="0600"):
        File(path="/a", mode="0644", secret=True)
    assert File(path="/a", mode="0644", secret=True, absent=True).absent


REFUSED: list[Resource] = [
    Command(name="make a user", run=f"useradd -p {WORD} x", unless="true"),
    Command(name="look", run="true", unless=f"grep {WORD} /etc/x"),
    File(path=f"/etc/{WORD}", content="x"),
    Download(path="/a", url=f"http://ann:{WORD}@host/x", sha256="0" * 64),
    Program(name="p", ready=f"curl -u ann:{WORD} localhost", log="/l", restart_on=()),
    ConfigSet(directory="/etc/nginx", files={"nginx.conf": f"# {WORD}"}, activation=Nginx()),
]


@pytest.mark.parametrize("resource", REFUSED, ids=lambda each: type(each).__name__)
def test_a_secret_where_others_would_see_it_is_refused(resource: Resource) -> None:
    with pytest.raises(InputError, match="secret"):
        protect(rendered(resource), KEEPER)
    protect(rendered(resource), Redactor(["another"]))


def state(mode: str, kind: str = "f") -> FileState:
    return FileState(kind=kind, mode=mode, owner="root", group="root", sha256="0" * 64)


@pytest.mark.parametrize(
    ("mode", "kind", "shows"),
    [("644", "f", True), ("640", "f", False), ("600", "f", False), ("777", "l", False)],
)
def test_a_diff_shows_only_what_everybody_on_the_host_may_read(mode: str, kind: str, shows: bool) -> None:
    declared = Declaration(rendered(File(path="/a", content="new")), "role", "roles/role.py:1", 0)
    answers = {FileQuestion("/a"): state(mode, kind), ContentQuestion("/a", 65_536): "it was swordfish"}
    (item,) = explained(compare([declared], answers), answers)
    assert isinstance(item.outcome, Change)
    assert ("swordfish" in item.outcome.diff) is shows


def test_what_a_set_of_files_held_while_it_was_closed_is_not_shown() -> None:
    made = rendered(ConfigSet(directory="/etc/x", files={"a.conf": "new"}, activation=Nginx()))
    answers: dict[Any, Any] = {question: "" for question in made.questions()}  # noqa: C420 - its type
    answers |= {ShellQuestion(Nginx().older()): ShellAnswer(0, "0")}
    for mode, shows in (("644", True), ("600", False)):
        answers |= {FileQuestion("/etc/x/a.conf"): state(mode), FileQuestion("/etc/x/site/a.conf", False): FileState()}
        answers |= {ContentQuestion("/etc/x/a.conf"): "it was swordfish"}
        (item,) = explained(compare([Declaration(made, "role", "line", 0)], answers), answers)
        assert isinstance(item.outcome, Change)
        assert ("swordfish" in item.outcome.diff) is shows


OBJECT = """
apiVersion: v1
kind: {kind}
metadata: {{name: n, namespace: default}}
{field}: {{word: aGVsbG8=}}
"""


@pytest.mark.parametrize(
    ("kind", "field", "secret", "shows"),
    [("ConfigMap", "data", False, True), ("ConfigMap", "data", True, False), ("Secret", "data", False, False)],
)
def test_the_data_of_a_secret_object_is_not_shown_on_either_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, field: str, secret: bool, shows: bool
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    text = OBJECT.format(kind=kind, field=field)
    made = rendered(Manifests(name="m", content=text, kubectl="kubectl", secret=secret))
    (question,) = made.questions()
    assert isinstance(question, ObjectsQuestion)
    live = {"apiVersion": "v1", "kind": kind, "metadata": {"name": "n", "namespace": "default"}}
    for actual in ({}, {(kind, "default", "n"): {**live, field: {"word": "b2xk"}}}):
        answers: dict[Any, Any] = {question: actual}
        items = compare([Declaration(made, "role", "line", 0)], answers)
        (item,) = explained(items, {**answers, **dict.fromkeys(evidence(items), ShellAnswer(0, ""))})
        assert isinstance(item.outcome, Change)
        assert ("aGVsbG8=" in item.outcome.diff) is shows
        assert ("b2xk" in item.outcome.diff) is (shows and bool(actual))


def test_errors_and_diffs_of_a_role_are_cleaned_of_what_it_has_seen() -> None:
    class Odd(File):
        def compare(self, *_: object) -> Change:
            if self.absent:
                raise FailedError(f"there is {WORD}", found=WORD)
            return Change(Action.UPDATE, f"/a: {WORD}", parts=frozenset())

        def explain(self, change: Change, _: object) -> Change:
            return replace(change, diff=f"+{WORD}")

    declared = Declaration(Odd(path="/a"), "role", "line", 0, redactor=KEEPER)
    (item,) = explained(compare([declared], {}), {})
    assert item == Item(declared, Change(Action.UPDATE, f"/a: {HIDDEN}", f"+{HIDDEN}"))
    with pytest.raises(FailedError) as caught:
        compare([replace(declared, resource=Odd(path="/a", absent=True))], {})
    assert WORD not in str(caught.value)


ROLES = {
    "hosts.yml": "all: {hosts: {h1: }}",
    "roles/__init__.py": "",
    "roles/_site.py": """
        import msgspec
        class SiteSettings(msgspec.Struct, frozen=True): pass
        """,
    "templates/t.j2": "pw={{ settings.word | b64encode }}\n",
}
BODIES = {
    "a template": ('yield File(path="/a", mode="0600", content=Template("t.j2"))', True),
    "python": ('yield File(path="/a", mode="0600", content=f"pw={settings.word}")', True),
    "a variable": ("""yield File(path="/a", mode="0600", content="x" + host.var("url"))""", True),
    "neither": ('yield File(path="/a", content="x")', False),
    "open to others": ('yield File(path="/a", content=Template("t.j2"))', "lets every user read it"),
    "a command": ('yield Command(name="c", run=f"echo {settings.word}", unless="true")', "secret in its run"),
    "a failure": ("raise ValueError(settings.word + '!')", "ValueError"),
    "a wrong path": ('yield File(path=settings.word, content="x")', "not a usable path"),
    "a number made of it": ("int(settings.word); yield", "ValueError"),
}


@pytest.mark.parametrize(("body", "outcome"), BODIES.values(), ids=BODIES.keys())
def test_a_role_need_not_say_what_is_secret(
    write: Write, monkeypatch: pytest.MonkeyPatch, body: str, outcome: bool | str
) -> None:
    import sys

    role = f"""
        import msgspec
        from provision.resources import Command, File, Template
        class Settings(msgspec.Struct, frozen=True):
            word: str
        def keeps(host, site, settings):
            {body}
        """
    vaulted = f"keeps:\n  word: {value(WORD)}\nurl: 'http://ann:{{{{ keeps.word }}}}@h'\n"
    root = write({**ROLES, "roles/keeps.py": dedent(role)})
    (root / "group_vars").mkdir()
    (root / "group_vars/all.yml").write_text(vaulted)
    for name in [name for name in sys.modules if name == "roles" or name.startswith("roles.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(str(root))
    vault = Vault([Password("default", "p", lambda: b"pass")])
    host = Inventory.load([root / "hosts.yml"], namespaces=frozenset({"keeps"}), vault=vault).host("h1")
    play = Play(name="p", hosts="all", roles=(RoleUse(name="keeps", line="site.yml:1"),), line="site.yml:1")
    try:
        if isinstance(outcome, str):
            with pytest.raises(InputError, match=outcome) as caught:
                Roles(SearchPath.of(root)).declare(host, [play])
            assert WORD not in str(caught.value)
            assert "roles/keeps.py:7" in str(caught.value)
        else:
            (declared,) = Roles(SearchPath.of(root)).declare(host, [play])
            assert isinstance(declared.resource, File)
            assert declared.resource.secret is outcome
            assert WORD not in repr(declared)
            assert declared.redactor.cleaned(f"it said {WORD}") == f"it said {HIDDEN}"
    finally:
        for name in [name for name in sys.modules if name == "roles" or name.startswith("roles.")]:
            del sys.modules[name]
