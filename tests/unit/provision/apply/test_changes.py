"""The changes of a host, made on this machine by a real loader: what shares a frame, in which order, how it ends."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from provision.apply.batch import MOST_BYTES, MOST_STEPS, Batch, full
from provision.apply.changes import Interrupted, apply
from provision.apply.events import ChangeDone, ChangeStarted, Event, ignore
from provision.apply.host import plan
from provision.errors import FailedError
from provision.plan.plan import Declaration, Item
from provision.remote.connection import Session
from provision.remote.host import RemoteHost
from provision.remote.login import Login
from provision.remote.protocol import Step, StepResult
from provision.resources import Directory, File, Resource, Symlink
from provision.resources.base import Rendering


class Counted:
    """A session that counts its frames."""

    def __init__(self, session: Session) -> None:
        self.frames: list[Step] = []
        self._session = session

    def run(self, step: Step) -> StepResult:
        self.frames.append(step)
        return self._session.run(step)

    def run_in_turn(self, *steps: Step) -> tuple[StepResult, ...]:
        self.frames += steps
        return self._session.run_in_turn(*steps)


@pytest.fixture
def session() -> Iterator[Counted]:
    host = RemoteHost(Login("here", "localhost", local=True))
    yield Counted(host.session())
    host.close()


@dataclass(frozen=True)
class Run:
    """What a run came to."""

    applied: tuple[str, ...]
    changing: int  # frames that change something
    error: str = ""


def declared(*resources: Resource) -> list[Declaration]:
    rendering = Rendering(lambda template: "")
    return [Declaration(rendering.resource(each), "role", f"roles/role.py:{n}", 0) for n, each in enumerate(resources)]


def items(session: Counted, *resources: Resource) -> Sequence[Item]:
    return plan(session, "here", declared(*resources)).items  # type: ignore[arg-type]


def run(session: Counted, *resources: Resource, stop_at: str = "") -> Run:
    """Plans and applies. stop_at: the resource at which somebody asks the run to stop."""
    found = items(session, *resources)
    session.frames.clear()
    stop = threading.Event()

    def listen(event: Event) -> None:
        if isinstance(event, ChangeStarted) and event.item.resource.key == stop_at:
            stop.set()

    done: list[str] = []
    error = ""
    try:
        for applied in apply(session, "here", found, listen, stop):  # type: ignore[arg-type]
            done.append(applied.item.resource.key)
    except (FailedError, Interrupted) as raised:
        error = str(raised) or "interrupted"
    return Run(tuple(done), sum(not step.asks for step in session.frames), error)


def test_small_files_folders_and_links_share_one_frame(session: Counted, tmp_path: Path) -> None:
    folder = Directory(path=f"{tmp_path}/d")
    files = [File(path=f"{tmp_path}/d/{n}.conf", content=f"it's {n}\n", mode="0640") for n in range(10)]
    link = Symlink(path=f"{tmp_path}/link", target=f"{tmp_path}/d/3.conf")
    made = run(session, folder, *files, link)
    assert made == Run(tuple(each.key for each in (folder, *files, link)), 1)
    assert (tmp_path / "link").read_text() == "it's 3\n"
    assert oct((tmp_path / "d/9.conf").stat().st_mode) == "0o100640"
    assert sorted(path.name for path in (tmp_path / "d").iterdir()) == sorted(f"{n}.conf" for n in range(10))
    assert all(item.as_declared for item in items(session, folder, *files, link))


@pytest.mark.parametrize(
    "content",
    [
        "",
        "no end",
        "\n\n\n",
        "'\"$(touch x)`touch y`\\\n%s %n\n",
        "\\0\\n\\t",
        "ü 表 ¶\n",
        "-n",
        b"\xff\xfe\r\n",
        "x" * 65_536,
    ],
)
def test_any_text_arrives_as_it_is(session: Counted, tmp_path: Path, content: str | bytes) -> None:
    path = tmp_path / "a file; 'quoted'"
    other = File(path=f"{tmp_path}/other", content="other")
    assert run(session, File(path=str(path), content=content), other).error == ""
    assert path.read_bytes() == (content if isinstance(content, bytes) else content.encode())


@pytest.mark.parametrize(
    ("content", "secret"),
    [(b"a secret", True), (b"x" * 65_537, False), (b"a\0b", False)],
    ids=["secret", "long", "nul"],
)
def test_what_is_secret_long_or_no_text_travels_alone_and_in_no_script(
    session: Counted, tmp_path: Path, content: bytes, secret: bool
) -> None:
    file = File(path=f"{tmp_path}/alone", content=content, mode="0600", secret=secret)
    before, after = (File(path=f"{tmp_path}/{name}", content=name) for name in ("before", "after"))
    assert run(session, before, file, after) == Run((before.key, file.key, after.key), 3)
    assert [step.payload for step in session.frames if not step.asks] == [b"", content, b""]
    assert not any(content.decode() in step.script for step in session.frames)


def test_the_first_that_fails_is_named_and_the_next_is_not_made(session: Counted, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    good = File(path=f"{tmp_path}/good", content="x")
    bad = File(path=f"{tmp_path}/file/below", content="x")
    never = File(path=f"{tmp_path}/never", content="x")
    made = run(session, good, bad, never)
    assert made.applied == (good.key,)
    assert "create" in made.error
    assert "below: failed" in made.error
    assert "roles/role.py:1" in made.error
    assert "done-" not in made.error
    assert not (tmp_path / "never").exists()


def test_a_run_that_is_asked_to_stop_makes_what_it_has_begun(session: Counted, tmp_path: Path) -> None:
    files = [File(path=f"{tmp_path}/{n}", content="x") for n in range(4)]
    made = run(session, *files, stop_at=files[1].key)
    assert made == Run((files[0].key, files[1].key), 1, "interrupted")
    assert not (tmp_path / "2").exists()


def test_each_change_is_told_when_it_is_read_back(session: Counted, tmp_path: Path) -> None:
    files = [File(path=f"{tmp_path}/{n}", content="x") for n in range(3)]
    told: list[Event] = []
    list(apply(session, "here", items(session, *files), told.append, threading.Event()))  # type: ignore[arg-type]
    assert [type(event) for event in told] == [ChangeStarted] * 3 + [ChangeDone] * 3


def test_a_change_that_something_reverts_is_a_failure(session: Counted, tmp_path: Path) -> None:
    first = File(path=f"{tmp_path}/same", content="one")
    second = File(path=f"{tmp_path}/same", content="two")
    found = items(session, first, second)
    with pytest.raises(FailedError, match="does not read as declared"):
        list(apply(session, "here", found, ignore, threading.Event()))  # type: ignore[arg-type]


def test_a_frame_has_an_end() -> None:
    assert not full([Step("x")] * (MOST_STEPS - 1))
    assert full([Step("x")] * MOST_STEPS)
    assert full([Step("x" * MOST_BYTES)])
    assert Batch.of([Step("true", timeout=60)] * MOST_STEPS).step.timeout == 300
