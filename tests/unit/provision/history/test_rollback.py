"""A journal in, the declarations that undo it out; and what has left the roles."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from provision.facts.managed import ADOPTED, MADE, Managed
from provision.history.journal import About, Entry, Written
from provision.history.prune import LINE, orphans, removals
from provision.history.rollback import RollbackPlan, rollback_plan
from provision.history.serialize import remember
from provision.plan.plan import Declaration
from provision.resources import Command, File, Manifests, Nginx, Program, Resource, Rollout, Service
from provision.resources.base import Action, Rendering
from provision.resources.configset.configset import ConfigSet
from provision.resources.optional.dependent import combined_digest

NEW = File(path="/etc/x.conf", content=b"new\n")
OLD = replace(NEW, content=b"old\n")
STOOD = b"f\t644\troot\troot\t4\t\nold\n"
PROGRAM = Program(name="x", ready="new check", log="/l", restart_on=(NEW,))
BEFORE = Program(name="x", ready="old check", log="/l", restart_on=(OLD,))


def entry(number: int, resource: Resource, action: Action = Action.UPDATE, snapshot: bytes = b"", **more: Any) -> Entry:
    known = {"role": "web", "line": "roles/web.py:7", "summary": "s", "paths": (), "variables": (), "before": None}
    fields: dict[str, Any] = {**known, "secret": False, "code": 0, **more}
    return Entry(number, resource.key, action=action, resource=remember(resource), snapshot=snapshot, **fields)


def undo(*entries: Entry) -> RollbackPlan:
    written = Written("20260301T101500-0000000", "a@b", "", About(), entries, ended=True)
    return rollback_plan(written, lambda role: 3)


def restored(*entries: Entry) -> list[Resource]:
    return [d.resource for d in undo(*entries).declarations]


def test_files_are_restored_before_their_programs() -> None:
    found = undo(entry(1, NEW, snapshot=STOOD), entry(2, PROGRAM, Action.RESTART, before=remember(BEFORE))).declarations
    assert [d.resource for d in found] == [OLD, BEFORE]
    assert [(d.role, d.line, d.play) for d in found] == [("web", "roles/web.py:7", 3)] * 2
    program = found[1].resource
    assert isinstance(program, Program)
    assert combined_digest(program.restart_on) == combined_digest((OLD,))  # so that the old roles find nothing to do


def test_programs_stop_before_their_files_are_removed() -> None:
    service = Service(name="s", restart_on=(NEW,))
    found = restored(
        entry(1, NEW, Action.CREATE),
        entry(2, PROGRAM, Action.CREATE),
        entry(3, service, snapshot=b"ActiveState=inactive\nUnitFileState=disabled\n"),
    )
    gone = File(path="/etc/x.conf", content=b"", absent=True)
    assert [type(r).__name__ for r in found] == ["Service", "Program", "File"]
    assert (found[2], found[1]) == (gone, replace(PROGRAM, absent=True, restart_on=(gone,)))


def test_two_changes_roll_back_to_before_the_first() -> None:
    again = replace(NEW, content=b"newer\n")
    assert restored(entry(1, NEW, snapshot=STOOD), entry(2, again, snapshot=b"f\t644\troot\troot\t4\t\nnew\n")) == [OLD]


def test_what_a_run_reverted_itself_is_left_out() -> None:
    other = File(path="/etc/earlier", content=b"new\n")
    later = entry(4, replace(NEW, path="/etc/z"), Action.REMOVE, undoes=True)
    entries = (entry(1, other, Action.CREATE), entry(2, NEW, snapshot=STOOD), entry(3, NEW, undoes=True), later)
    written = Written("20260301T101500-0000000", "a@b", "", About(), entries, ended=False)
    assert [d.resource for d in rollback_plan(written, lambda role: 3, after=1).declarations] == [OLD]


def test_unchanged_dependencies_are_known_by_digest() -> None:
    (program,) = restored(entry(1, PROGRAM, Action.RESTART))
    assert isinstance(program, Program)
    assert combined_digest(program.restart_on) == combined_digest((NEW,))


def test_what_was_undone_before_can_be_undone_again() -> None:
    command = Command(name="c", run="x", unless="y")
    (once,) = restored(entry(1, replace(PROGRAM, restart_on=(command, NEW)), Action.RESTART))
    (twice,) = restored(entry(1, once, Action.RESTART))
    (thrice,) = restored(entry(1, twice, Action.RESTART, before=remember(twice)))
    assert isinstance(thrice, Program)
    assert combined_digest(thrice.restart_on) == combined_digest((command, NEW))


@pytest.mark.parametrize(
    ("what", "says"),
    [
        (entry(1, Command(name="c", run="x", unless="y"), Action.RUN), "Command c: the effect of a command is unknown"),
        (entry(1, NEW, snapshot=STOOD, secret=True), "secrets are not recorded"),
        (replace(entry(1, NEW), resource={"kind": "Teapot", "fields": {}}), "Teapot"),
        (entry(1, NEW, snapshot=b"f\t644\troot\troot\t999\t\nold\n"), "bigger"),
    ],
)
def test_what_can_not_be_undone_is_told_and_left(what: Entry, says: str) -> None:
    found = undo(what)
    assert found.declarations == ()
    assert says in found.lasting[0]


def index(*lines: tuple[Resource, str]) -> tuple[tuple[Managed, ...], dict[str, str]]:
    made = tuple(Managed(resource.key, flag, "web", Action.RUN) for resource, flag in lines)
    return made, {resource.key: json.dumps(remember(resource)) for resource, _ in lines}


def declared(resources: Iterable[Resource]) -> list[Declaration]:
    return [Declaration(r.rendered(Rendering(lambda template: "")), "r", "l", 0) for r in resources]


def taken_away(
    lines: list[tuple[Resource, str]], mine: Iterable[Resource] = (), everywhere: Iterable[Resource] = ()
) -> list[Declaration]:
    made, remembered = index(*lines)
    here = declared(mine)
    elsewhere = declared(everywhere)
    return list(removals(orphans(made, here), remembered, here, lambda: elsewhere, 9))


def maps(name: str, *objects: str) -> Manifests:
    text = "\n---\n".join(f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {o}}}\ndata: {{}}" for o in objects)
    made = Manifests(name=name, content=text, kubectl="kubectl").rendered(Rendering(lambda template: ""))
    assert isinstance(made, Manifests)
    return made


def applied(name: str) -> dict[str, object]:
    """An object as kubectl gives it back, with what was applied before."""
    metadata = {"name": name, "namespace": "default"}
    before = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata}
    note = {"kubectl.kubernetes.io/last-applied-configuration": json.dumps(before)}
    return {**before, "metadata": {**metadata, "annotations": note}}


@pytest.mark.parametrize("was_there", [True, False])
def test_only_pods_that_were_there_before_are_awaited(was_there: bool) -> None:
    text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n"
    made = Manifests(name="web", content=text, kubectl="kubectl", absent=True).rendered(Rendering(lambda template: ""))
    assert isinstance(made, Manifests)
    web = replace(made, absent=False)
    snapshot = json.dumps(applied("web")).encode() if was_there else b""
    pods = Rollout(kind="Deployment", namespace="default", name="web", kubectl="kubectl", of=web)
    asked = Command(name="ask web", run="true", on_change=(web,), waits=True)
    found = restored(
        entry(1, web, Action.UPDATE if was_there else Action.CREATE, snapshot),
        entry(2, pods, Action.RUN),
        entry(3, asked, Action.RUN),
    )
    assert [each.key for each in found] == (["Manifests web", pods.key] if was_there else ["Manifests web-new"])


def test_orphans_are_removed_youngest_first() -> None:
    adopted = File(path="/etc/hosts", content=b"")
    found = taken_away([(NEW, MADE), (adopted, ADOPTED), (PROGRAM, MADE)])
    assert [(d.resource.key, d.made_as, d.line, d.play) for d in found] == [
        ("Program x", "Program x", LINE, 9),
        ("File /etc/x.conf", "File /etc/x.conf", LINE, 9),
    ]
    assert all(getattr(d.resource, "absent", False) for d in found)


def test_what_something_else_declares_by_now_stays() -> None:
    taken_over = ConfigSet(directory="/etc", files={"x.conf": b""}, activation=Nginx())
    assert taken_away([(NEW, MADE)], mine=[NEW]) == []
    assert taken_away([(NEW, MADE)], mine=[taken_over]) == []


def test_objects_that_another_set_or_another_host_declares_stay() -> None:
    (found,) = taken_away([(maps("old", "a", "b"), MADE)], everywhere=[maps("new", "b")])
    assert isinstance(found.resource, Manifests)
    assert found.resource.absent
    assert [item["metadata"]["name"] for item in found.resource.objects] == ["a"]
    assert taken_away([(maps("old", "a"), MADE)], everywhere=[maps("old", "a")]) == []
    assert taken_away([(maps("old", "a"), MADE)], everywhere=[maps("new", "a, namespace: default")]) == []


def test_an_object_that_left_its_set_is_removed_by_itself() -> None:
    before, now = maps("shop", "a", "b"), maps("shop", "b")
    (found,) = taken_away([(before, MADE), *((part, MADE) for part in before.parts)], mine=[now], everywhere=[now])
    assert isinstance(found.resource, Manifests)
    assert (found.made_as, found.resource.absent) == ("Manifests shop#configmap.default.a", True)
    assert [item["metadata"]["name"] for item in found.resource.objects] == ["a"]


def test_a_set_that_left_goes_as_one() -> None:
    before = maps("shop", "a", "b")
    (found,) = taken_away([(before, MADE), *((part, MADE) for part in before.parts)])
    assert isinstance(found.resource, Manifests)
    assert len(found.resource.objects) == 2


def test_what_another_version_wrote_is_left_where_it_is() -> None:
    made, _ = index((NEW, MADE))
    assert removals(orphans(made, []), {NEW.key: "{}"}, [], tuple, 9) == ()
    assert removals(orphans(made, []), {}, [], tuple, 9) == ()
