"""What a host remembers of a change: written with a real shell, read back, and turned into its undoing."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from provision.facts.managed import Managed, ManagedQuestion, index
from provision.history import journal as journals
from provision.history.journal import About, Entry, Journal, JournalQuestion, read
from provision.history.serialize import Unchanged, remember, revive
from provision.plan.plan import Declaration, Item
from provision.remote.lock import Holder
from provision.remote.protocol import Step
from provision.resources import (
    Change,
    Command,
    ConfigSet,
    Directory,
    Download,
    File,
    Image,
    Manifests,
    Nginx,
    Package,
    Program,
    Resource,
    Service,
    Symlink,
    Sysctl,
)
from provision.resources.base import Action, Rendering
from provision.resources.configset.marks import mark
from provision.resources.optional.reversible import SNAPSHOT_LIMIT, roll_back
from provision.secret import Redactor
from tests.unit.machine import Machine

SUM = "a" * 64


class Journaled(Machine):
    """This machine, with the index that a host would have."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.holder = Holder("alice@desk")
        self.made: dict[str, str] = {}

    def journal(self, holder: Holder | None = None) -> Journal:
        return Journal(holder or self.holder, About("deploy", "abc1234"), self.made)

    def change(self, journal: Journal, resource: Resource, redactor: Redactor | None = None) -> int:
        """Makes a file resource so, with a journal around it."""
        resource = resource.rendered(Rendering(lambda template: ""))
        questions = resource.questions()
        change = resource.compare(self.answers(questions), ())
        assert isinstance(change, Change)
        declaration = Declaration(resource, "base", "roles/base.py:7", 0)
        declaration = replace(declaration, redactor=redactor) if redactor else declaration
        step = journal.around(resource.fix(change), Item(declaration, change), ["base.x (group_vars/all.yml:3)"])
        return self.run(step).returncode

    def written(self) -> tuple[journals.Written, ...]:
        found: tuple[journals.Written, ...] = self.ask(JournalQuestion(contents=True))
        return found


@pytest.fixture
def machine(tmp_path: Path) -> Journaled:
    return Journaled(tmp_path)


def me(path: Path, content: str, **more: Any) -> File:
    return File(path=str(path), content=content, **more)


def rollback(entry: Entry) -> tuple[Resource, ...]:
    return roll_back(revive(entry.resource, lambda key: None), entry.action, entry.snapshot).resources


def test_a_journal_holds_who_when_what_and_the_state_before(machine: Journaled, tmp_path: Path) -> None:
    (tmp_path / "motd").write_bytes(b"by hand\n\xff\0")
    (tmp_path / "motd").chmod(0o664)
    journal = machine.journal()
    assert machine.change(journal, me(tmp_path / "motd", "ours\n")) == 0
    assert machine.change(journal, me(tmp_path / "new", "ours\n")) == 0
    (run,) = machine.written()
    assert (run.run, run.who, run.about.commit) == (machine.holder.run, "alice@desk", "abc1234")
    changed, created = run.entries
    assert (changed.role, changed.line, changed.action, changed.code) == ("base", "roles/base.py:7", Action.UPDATE, 0)
    assert changed.variables == ("base.x (group_vars/all.yml:3)",)
    assert rollback(changed) == (File(path=str(tmp_path / "motd"), content=b"by hand\n\xff\0", mode="0664"),)
    assert rollback(created) == (File(path=str(tmp_path / "new"), content=b"", absent=True),)
    assert (tmp_path / "motd").read_text() == "ours\n"
    assert [oct(p.stat().st_mode & 0o777) for p in (machine.state / "journal").iterdir()] == ["0o600"]
    assert (machine.state / "journal").stat().st_mode & 0o077 == 0


def test_what_a_run_undoes_is_again_as_it_was(machine: Journaled, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/somewhere")
    journal = machine.journal()
    for resource in (Symlink(path=str(tmp_path / "link"), target="/else"), me(tmp_path / "sub", "x")):
        assert machine.change(journal, resource) == 0
    (run,) = machine.written()
    back = machine.journal(Holder("bob@desk"))
    for entry in run.entries:
        for before in rollback(entry):
            assert machine.change(back, before) == 0
    assert os.readlink(tmp_path / "link") == "/somewhere"
    assert not (tmp_path / "sub").exists()
    assert [w.who for w in machine.written()] == ["alice@desk", "bob@desk"]


def test_a_change_that_was_cut_is_written_down_as_begun(machine: Journaled, tmp_path: Path) -> None:
    file = me(tmp_path / "f", "new\n")
    journal = machine.journal()
    item = Item(Declaration(file, "r", "l", 0), Change(Action.CREATE, Action.CREATE, parts=frozenset({"content"})))
    step = journal.around(Step("kill -9 $$"), item)
    machine.run(step)
    (run,) = machine.written()
    assert run.entries[0].code is None


@pytest.mark.parametrize("arrived", [True, False])
def test_a_journal_goes_on_where_nobody_knows_what_arrived(machine: Journaled, tmp_path: Path, arrived: bool) -> None:
    journal = machine.journal()
    first, second = me(tmp_path / "f", "one\n"), me(tmp_path / "g", "two\n")
    step = journal.around(Step("true"), Item(Declaration(first, "r", "l", 0), Change(Action.CREATE, Action.CREATE)))
    if arrived:
        machine.run(step)
    assert machine.change(journal.resumed({}), second) == 0
    assert [entry.key for entry in machine.written()[0].entries] == [first.key] * arrived + [second.key]


def test_a_change_that_fails_says_so_and_its_code_is_kept(machine: Journaled, tmp_path: Path) -> None:
    item = Item(Declaration(me(tmp_path / "f", "x"), "r", "l", 0), Change(Action.CREATE, Action.CREATE))
    assert machine.run(machine.journal().around(Step("exit 7"), item)).returncode == 7
    (run,) = machine.written()
    assert run.entries[0].code == 7
    assert machine.ask(ManagedQuestion()) == ()


def test_nothing_is_changed_when_it_can_not_be_written_down(machine: Journaled, tmp_path: Path) -> None:
    machine.state.write_text("not a folder")
    item = Item(Declaration(me(tmp_path / "f", "x"), "r", "l", 0), Change(Action.CREATE, Action.CREATE))
    result = machine.run(machine.journal().around(Step(f"touch {tmp_path}/touched"), item))
    assert result.returncode == 1
    assert b"the journal could not be written: nothing was changed" in result.stderr
    assert not (tmp_path / "touched").exists()


def test_secrets_are_neither_kept_nor_told(machine: Journaled, tmp_path: Path) -> None:
    for name in ("marked", "seen", "closed"):
        (tmp_path / name).write_text("old hunter2-before\n")
    (tmp_path / "closed").chmod(0o640)
    journal = machine.journal()
    assert machine.change(journal, me(tmp_path / "marked", "hunter2-now", secret=True, mode="0600")) == 0
    assert machine.change(journal, me(tmp_path / "seen", "x hunter2-now"), Redactor(["hunter2-now"])) == 0
    assert machine.change(journal, me(tmp_path / "closed", "open now")) == 0
    text = "".join(p.read_text() for p in machine.state.rglob("*") if p.is_file())
    assert "hunter2" not in text
    marked, seen, closed = machine.written()[0].entries
    assert b"hunter2" not in closed.snapshot
    assert (
        "not world-readable" in roll_back(revive(closed.resource, lambda _: None), closed.action, closed.snapshot).why
    )
    assert seen.secret
    assert seen.snapshot == b""
    assert (
        "secrets are not recorded"
        in roll_back(revive(marked.resource, lambda _: None), marked.action, marked.snapshot).why
    )


def test_a_file_that_is_too_big_to_keep_can_not_be_undone_and_says_so(machine: Journaled, tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"x" * (SNAPSHOT_LIMIT + 2000))
    assert machine.change(machine.journal(), me(tmp_path / "big", "small")) == 0
    entry = machine.written()[0].entries[0]
    assert "bigger" in roll_back(revive(entry.resource, lambda _: None), entry.action, entry.snapshot).why


def test_old_runs_go_first_and_the_youngest_stay(
    machine: Journaled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "KEPT_RUNS", 3)
    names = []
    for number in range(6):
        holder = Holder("alice@desk", run=f"2026010{number}T000000-0000")
        names.append(holder.run)
        assert machine.change(machine.journal(holder), me(tmp_path / f"f{number}", "x")) == 0
    assert [w.run for w in machine.written()] == names[3:]
    monkeypatch.setattr(journals, "KEPT_BYTES", 1)
    assert machine.change(machine.journal(Holder("z@desk", run="20260109T000000-0000")), me(tmp_path / "g", "x")) == 0
    assert [w.run for w in machine.written()] == [names[5], "20260109T000000-0000"]


def test_the_index_knows_what_was_made_here_and_what_was_there_before(machine: Journaled, tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("127.0.0.1\n")
    journal = machine.journal()
    machine.change(journal, me(tmp_path / "hosts", "x"))
    machine.change(journal, me(tmp_path / "ours", "x"))
    made = {m.key: m.flag for m in machine.ask(ManagedQuestion())}
    assert made == {f"File {tmp_path}/hosts": "~", f"File {tmp_path}/ours": "+"}
    machine.made = made
    later = machine.journal(Holder("bob@desk"))
    machine.change(later, me(tmp_path / "ours", "y"))
    machine.change(later, me(tmp_path / "ours", "y", absent=True))
    assert [m.key for m in machine.ask(ManagedQuestion())] == [f"File {tmp_path}/hosts"]
    machine.change(machine.journal(Holder("zoe@desk")), me(tmp_path / "hosts", "z"))  # a new run tidies the index
    assert (machine.state / "made").read_text().count("\n") == 2


def test_a_host_that_was_never_changed_answers_with_nothing(machine: Journaled) -> None:
    assert machine.written() == ()
    assert machine.ask(ManagedQuestion()) == ()


FILE = File(path="/etc/motd", content=b"new\n")
STOOD = b"f\t644\troot\tadm\t4\t\nold\n"
APPLIED = (
    '{"kind":"List","items":[{"kind":"ConfigMap","metadata":{"name":"a","annotations":'
    '{"kubectl.kubernetes.io/last-applied-configuration":"{\\"apiVersion\\":\\"v1\\",\\"kind\\":\\"ConfigMap\\",'
    '\\"metadata\\":{\\"name\\":\\"a\\"},\\"data\\":{\\"k\\":\\"old\\"}}"}}}]}'
)
SET = ConfigSet(
    directory="/etc/nginx",
    files={"nginx.conf": f"server 10.4.7.21:81{mark('n21')};\n".encode()},
    activation=Nginx(),
)
MAPS = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\n"


@pytest.mark.parametrize(
    ("resource", "action", "snapshot", "expected"),
    [
        (FILE, Action.UPDATE, STOOD, [File(path="/etc/motd", content=b"old\n", group="adm")]),
        (FILE, Action.CREATE, b"", [File(path="/etc/motd", content=b"", absent=True)]),
        (FILE, Action.UPDATE, b"l\t777\troot\troot\t3\t/x\n", [Symlink(path="/etc/motd", target="/x")]),
        (File(path="/a", absent=True), Action.REMOVE, STOOD, [File(path="/a", content=b"old\n", group="adm")]),
        (Directory(path="/d"), Action.CREATE, b"", []),
        (Directory(path="/d"), Action.UPDATE, b"d\t700\tbin\troot\t3\t\n",
         [Directory(path="/d", mode="0700", owner="bin")]),
        (Symlink(path="/l", target="/a"), Action.CREATE, b"", [Symlink(path="/l", target="/a", absent=True)]),
        (Download(path="/b", url="http://o/2", sha256=SUM), Action.UPDATE,
         b"f\t755\troot\troot\t9\t\n" + b"b" * 64 + b" 9 1.0 1.0 7\nhttp://o/1\n",
         [Download(path="/b", url="http://o/1", sha256="b" * 64, mode="0755")]),
        (Download(path="/b", url="http://o/2", sha256=SUM), Action.CREATE, b"", [File(path="/b", absent=True)]),
        (Download(path="/b", url="http://o/2", sha256=SUM), Action.UPDATE, b"f\t755\troot\troot\t9\t\n", []),
        (Image(name="i:1", url="http://o/2", sha256=SUM), Action.CREATE, b"", []),
        (Package(names=("nginx",)), Action.CREATE, b"", []),
        (Package(names=("nginx",), absent=True), Action.REMOVE, b"", [Package(names=("nginx",))]),
        (Sysctl(name="net.x", value="1"), Action.UPDATE, b"0\n", [Sysctl(name="net.x", value="0", persistent=False)]),
        (Service(name="s"), Action.UPDATE, b"ActiveState=inactive\nUnitFileState=disabled\n",
         [Service(name="s", running=False, enabled=False)]),
        (Program(name="p", ready="true", log="/l", restart_on=(FILE,)), Action.CREATE, b"",
         [Program(name="p", ready="true", log="/l",
                  restart_on=(Unchanged(name="File /etc/motd", fingerprint=FILE.digest),))]),
        (Command(name="c", run="x", unless="y"), Action.RUN, b"", []),
        (SET, Action.UPDATE, b"28\tnginx.conf\nserver 10.4.7.21:81 down;\nx\n0\tempty\n",
         [replace(SET, files={"empty": b"", "nginx.conf": f"server 10.4.7.21:81{mark('n21')};\nx\n".encode()})]),
    ],
)  # fmt: skip
def test_every_resource_says_what_it_was_before(
    resource: Resource, action: Action, snapshot: bytes, expected: list[Resource]
) -> None:
    data = remember(resource.rendered(Rendering(lambda template: "")))
    found = roll_back(revive(data, lambda key: None), action, snapshot)
    assert list(found.resources) == expected
    if not expected and not isinstance(resource, (Directory, Image, Package)):
        assert found.why


def test_objects_are_undone_to_what_was_applied_and_new_ones_go() -> None:
    text = MAPS % "a" + "data: {k: new}\n---\n" + MAPS % "b"
    maps = Manifests(name="m", content=text, kubectl="kubectl").rendered(Rendering(lambda template: ""))
    data = remember(maps)
    assert "new" not in str(data)
    before, gone = roll_back(revive(data, lambda key: None), Action.UPDATE, APPLIED.encode()).resources
    assert isinstance(before, Manifests)
    assert isinstance(gone, Manifests)
    assert '"k": "old"' in str(before.content)
    assert (gone.absent, "b" in str(gone.content), '"a"' in str(gone.content)) == (True, True, False)


def test_a_program_that_had_no_file_before_is_stopped() -> None:
    program = Program(name="p", ready="true", log="/l", restart_on=(FILE,))
    gone = replace(FILE, absent=True)
    back = roll_back(revive(remember(program), lambda key: gone), Action.CREATE, b"").resources
    assert back == (replace(program, restart_on=(gone,), absent=True),)


@pytest.mark.parametrize("text", ["", "garbage", '{"n":1}\n', '{"run": '])
def test_a_journal_that_nobody_can_read_is_no_journal(text: str) -> None:
    assert read(text) is None


def test_lines_that_nobody_can_read_cost_only_themselves() -> None:
    good = '{"n":1,"key":"File /a","role":"r","line":"l","action":"create","summary":"","paths":[],"variables":[],'
    good += '"resource":{},"secret":false,"former":""}'
    text = '{"run":"x"}\n{"n":2,"key":"of another version"}\n' + good + '\n{"n":1,"code":0}\n{"n":3,"ke'
    written = read(text)
    assert written
    assert [(entry.key, entry.code, entry.before) for entry in written.entries] == [("File /a", 0, None)]
    assert not written.ended


@pytest.mark.parametrize("data", [{}, {"kind": "Nothing", "fields": {}}, {"kind": "File", "fields": {"colour": 1}}])
def test_what_another_version_remembered_is_refused_in_words(data: Mapping[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"kind|version"):
        revive(data, lambda key: None)


def test_the_last_word_counts() -> None:
    lines = [Managed("a", "+", "r", "1"), Managed("b", "+", "r", "1"), Managed("a", "-", "r", "2")]
    assert index(lines) == (Managed("b", "+", "r", "1"),)
