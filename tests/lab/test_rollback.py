"""One operator at a time, and a way back: on real hosts."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from provision.apply.events import Event, Waiting
from provision.errors import Exit, UnreachableError
from provision.remote.connection import Session
from provision.remote.host import AnyConnection, connection_to
from provision.remote.lock import Holder, take
from provision.remote.login import Login
from provision.remote.protocol import Step
from provision.resources import Directory, File
from tests.lab.conftest import RunningLab, both_transports
from tests.lab.test_engine import converge, logins, on_host, only, sessions


@pytest.fixture(scope="module")
def here(bare_lab: RunningLab) -> RunningLab:
    assert converge(logins(bare_lab), [Directory(path="/data")]).exit is Exit.OK
    return bare_lab


@pytest.fixture
def one(here: RunningLab, transport: str) -> tuple[Login, ...]:
    return logins(here, ["hdss7-11"], transport)


@pytest.fixture
def other(here: RunningLab, transport: str) -> Iterator[AnyConnection]:
    """Another operator's connection."""
    connection = connection_to(logins(here, ["hdss7-11"], transport)[0])
    yield connection
    connection.cut()


@both_transports
def test_a_second_operator_is_refused_with_the_first_ones_name(
    here: RunningLab, other: AnyConnection, transport: str
) -> None:
    session = Session(other)
    assert take(session, Holder("alice@desk")) == ""
    report = converge(logins(here, transport=transport), [File(path="/data/second", content="x")])
    assert report.exit is Exit.FAILED
    assert [host.status for host in report.hosts] == ["failed", "skipped", "skipped"]
    assert "held by alice@desk, run 2" in str(report.hosts[0].error)
    assert "--wait" in str(report.hosts[0].error)
    for host in ("hdss7-11", "hdss7-21", "hdss7-22"):
        assert on_host(here, host, "ls /data") == ""
    assert only(converge(logins(here, ["hdss7-11"]), [Directory(path="/data")])).status == "ok"  # who changes nothing
    session.close()
    assert (
        converge(logins(here, transport=transport), [File(path="/data/second", content="x", absent=True)]).exit
        is Exit.OK
    )


@both_transports
def test_a_run_that_waits_goes_on_as_soon_as_the_host_is_free(
    one: tuple[Login, ...], other: AnyConnection, transport: str
) -> None:
    session = Session(other)
    assert take(session, Holder("alice@desk")) == ""
    waiting = threading.Event()

    def on(event: Event) -> None:
        if isinstance(event, Waiting):
            assert event.who.startswith("alice@desk")
            waiting.set()

    def release() -> None:
        waiting.wait(20)
        session.close()

    threading.Thread(target=release).start()
    assert (
        only(converge(one, [File(path=f"/data/waited-{transport}", content="x")], on=on, wait=30)).status == "changed"
    )
    assert waiting.is_set()


@both_transports
def test_a_script_cut_from_its_controller_keeps_the_lock(
    here: RunningLab, one: tuple[Login, ...], other: AnyConnection, transport: str
) -> None:
    session = Session(other)
    assert take(session, Holder("alice@desk")) == ""

    def write_slowly() -> None:
        with pytest.raises(UnreachableError):
            session.run(Step(f"sleep 4; touch /data/finished-{transport}"))

    slow = threading.Thread(target=write_slowly)
    slow.start()
    time.sleep(1)
    other.cut()
    slow.join()
    refused = converge(one, [File(path=f"/data/cut-{transport}", content="x")])
    assert "alice@desk" in str(only(refused).error)
    assert only(converge(one, [File(path=f"/data/cut-{transport}", content="x")], wait=30)).status == "changed"
    assert on_host(here, "hdss7-11", f"ls /data/finished-{transport}") == f"/data/finished-{transport}"


@both_transports
def test_a_controller_that_was_killed_or_froze_leaves_no_lock(
    here: RunningLab, other: AnyConnection, transport: str
) -> None:
    session = Session(other)
    assert take(session, Holder("alice@desk"), idle_timeout=2) == ""
    began = time.monotonic()
    one = logins(here, ["hdss7-11"], transport)
    assert only(converge(one, [File(path=f"/data/frozen-{transport}", content="x")], wait=20)).status == "changed"
    assert time.monotonic() - began < 10


def test_a_hand_made_edit_between_plan_and_apply_is_seen_and_left(here: RunningLab, one: tuple[Login, ...]) -> None:
    files = [File(path="/data/edited", content="one\n"), File(path="/data/other", content="one\n")]
    assert only(converge(one, files)).status == "changed"
    later = [File(path="/data/edited", content="two\n"), File(path="/data/other", content="two\n")]

    def by_hand(event: Event) -> None:
        if type(event).__name__ == "HostKnown":
            on_host(here, "hdss7-11", "echo by hand >/data/other")

    host = only(converge(one, later, on=by_hand))
    assert host.status == "failed"
    assert "File /data/other" in str(host.error)
    assert on_host(here, "hdss7-11", "cat /data/edited /data/other") == "one\nby hand"
    assert only(converge(one, later)).status == "changed"


def test_a_run_that_waited_makes_its_plan_anew(here: RunningLab, one: tuple[Login, ...], other: AnyConnection) -> None:
    files = [File(path="/data/planned", content="one\n"), File(path="/data/beside", content="one\n")]
    assert only(converge(one, files)).status == "changed"
    later = [File(path="/data/planned", content="two\n"), File(path="/data/beside", content="one\n")]
    session = Session(other)
    assert take(session, Holder("alice@desk")) == ""

    def first(event: Event) -> None:
        if isinstance(event, Waiting):
            on_host(here, "hdss7-11", "echo alice >/data/planned; echo alice >/data/beside")
            session.close()

    assert only(converge(one, later, on=first, wait=30)).status == "changed"
    assert on_host(here, "hdss7-11", "cat /data/planned /data/beside") == "two\none"


def test_a_run_with_changes_needs_no_further_exec_for_its_lock(here: RunningLab, one: tuple[Login, ...]) -> None:
    before = sessions(here, "hdss7-11")
    assert only(converge(one, [File(path="/data/counted", content="x")])).status == "changed"
    after = sessions(here, "hdss7-11")
    assert (after[0] - before[0], after[1] - before[1]) == (1, 1)
