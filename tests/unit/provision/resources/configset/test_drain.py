"""The drain interface, with nginx and HAProxy behind it."""

from __future__ import annotations

from typing import Any

import pytest

from provision.errors import InputError
from provision.facts.host import ContentQuestion, FileState, ShellAnswer, ShellQuestion
from provision.facts.question import Question
from provision.resources import Action, Bind, ConfigSet, HAProxy, Nginx, Service
from provision.resources.base import Change, Rendering
from provision.resources.configset.drain import NEW, drained_question, read_drained, record_drained
from provision.resources.configset.marks import mark
from provision.resources.optional.dependent import stamp_question

SERVERS = "".join(f"server 10.4.7.{n}:81 max_fails=3{mark(f'n{n}')};\n" for n in (21, 22)).encode()
OLDER = ShellQuestion(Nginx().older())
HAPROXY = HAProxy(answer="127.0.0.2:80", replaces="nginx")
CHECKED = "".join(f"    server n{n} 10.4.7.{n}:81{mark(f'n{n}')} check\n" for n in (21, 22)).encode()
HANDOVER = ShellQuestion(HAPROXY.handover())
RENDERING = Rendering(lambda template: "")


def test_nginx_marks_a_drained_server_down_and_leaves_the_rest() -> None:
    read = Nginx().with_drained(SERVERS, {"n22"}).decode()
    assert read == "server 10.4.7.21:81 max_fails=3;\nserver 10.4.7.22:81 max_fails=3 down;\n"


@pytest.mark.parametrize("drained", [(), ("n21",), ("n21", "n22")])
def test_marks_come_back_to_a_file_that_nginx_has_read(drained: tuple[str, ...]) -> None:
    nginx = Nginx()
    assert nginx.with_marks(nginx.with_drained(SERVERS, drained), SERVERS) == SERVERS


def test_haproxy_disables_a_drained_server_and_leaves_the_rest() -> None:
    read = HAPROXY.with_drained(CHECKED, {"n22"}).decode()
    assert read == "    server n21 10.4.7.21:81 check\n    server n22 10.4.7.22:81 disabled check\n"


@pytest.mark.parametrize("drained", [(), ("n21",), ("n21", "n22")])
def test_marks_come_back_to_a_file_that_haproxy_has_read(drained: tuple[str, ...]) -> None:
    assert HAPROXY.with_marks(HAPROXY.with_drained(CHECKED, drained), CHECKED) == CHECKED


def test_haproxys_servers_are_told_by_their_addresses() -> None:
    assert HAPROXY.servers(HAPROXY.with_drained(CHECKED, {"n21"})) == {b"10.4.7.21:81", b"10.4.7.22:81"}
    assert HAPROXY.servers(b"    default-server check\n") == frozenset()


@pytest.mark.parametrize(
    ("other", "said"),
    [("", None), ("nginx closes its ports first", "/etc/x: begin to run with it; nginx closes its ports first")],
)
def test_a_set_begins_to_run_where_another_program_does(other: str, said: str | None) -> None:
    config = ConfigSet(directory="/etc/x", files={}, activation=HAPROXY)
    answers: dict[Question, Any] = {question: ShellAnswer(0, "") for question in config.questions()}
    answers |= {
        HANDOVER: ShellAnswer(0, f"{other}\n"),
        drained_question(): "",
        stamp_question("set-etc-x"): config.digest,
    }
    change = config.compare(answers, ())
    assert (change.summary if isinstance(change, Change) else None) == said


def test_a_set_that_replaced_a_program_is_undone_by_that_program() -> None:
    config = ConfigSet(directory="/etc/x", files={"a": b""}, activation=HAPROXY)
    undone = config.rollback(Action.UPDATE, b"serves\tnginx\n3\ta\nold").resources
    assert undone == (Service(name="haproxy", running=False, enabled=False), Service(name="nginx"))
    before = config.rollback(Action.UPDATE, b"3\ta\nold").resources
    assert [dict(each.files) for each in before if isinstance(each, ConfigSet)] == [{"a": b"old"}]


def test_a_set_can_drain_the_hosts_that_its_files_mark() -> None:
    assert ConfigSet(directory="/etc/x", files={"a": SERVERS, "b": b""}, activation=Nginx()).drainable == {"n21", "n22"}


LIVE = "    server 10.4.7.21:81 max_fails=3 down;\n"


@pytest.mark.parametrize(
    ("live", "drained", "left_out"),
    [
        (LIVE, "", {"n22": NEW}),
        (LIVE, "n21=run1", {"n21": "run1", "n22": NEW}),
        (LIVE, "n22=run1", {"n22": "run1"}),
        ("", "", {}),  # the first set: nobody is served yet
        (LIVE.replace("21", "20"), "", {}),  # nobody of those who were sent to stays: all are needed
        (LIVE + LIVE.replace("21", "22"), "", {}),
    ],
)
def test_a_host_that_is_new_in_the_set_starts_left_out(live: str, drained: str, left_out: dict[str, str]) -> None:
    config = ConfigSet(directory="/etc/x", files={"a": SERVERS}, activation=Nginx())
    answers: dict[Question, Any] = dict.fromkeys(config.questions(), FileState())
    answers |= {OLDER: ShellAnswer(0, "0\n"), ContentQuestion("/etc/x/a"): live}
    answers |= {drained_question(): drained, stamp_question("set-etc-x"): ""}
    change = config.compare(answers, ())
    assert isinstance(change, Change)
    assert "older" not in change.summary
    assert dict(change.drained) == left_out
    assert ("n22 gets no request before it answers" in change.summary) is (left_out.get("n22") == NEW)


def test_a_host_that_another_file_sent_to_is_not_new() -> None:
    config = ConfigSet(directory="/etc/x", files={"a": b"", "b": SERVERS}, activation=Nginx())
    answers: dict[Question, Any] = dict.fromkeys(config.questions(), FileState())
    answers |= {ContentQuestion("/etc/x/a"): SERVERS.replace(b"22", b"23").decode(), ContentQuestion("/etc/x/b"): ""}
    answers |= {OLDER: ShellAnswer(0, "3\n"), drained_question(): "", stamp_question("set-etc-x"): ""}
    change = config.compare(answers, ())
    assert isinstance(change, Change)
    assert dict(change.drained) == {"n22": NEW}
    assert change.summary.endswith("; older configurations still serve, processes: 3")


def test_a_program_that_drains_nothing_refuses_a_mark() -> None:
    config = ConfigSet(directory="/etc/x", files={"a": SERVERS}, activation=Bind(()))
    with pytest.raises(InputError, match="cannot drain"):
        config.rendered(RENDERING)


def test_the_record_of_yesterdays_version_is_read() -> None:
    assert read_drained({drained_question(): "hdss7-21=20261124T1 hdss7-22=20261124T1"}) == {
        "hdss7-21": "20261124T1",
        "hdss7-22": "20261124T1",
    }
    assert read_drained({}) == {}
    assert "'a=r1 b=r2'" in record_drained([("b", "r2"), ("a", "r1")])
