"""The drain interface: nginx behind it, and a program of the other sort, which is told while it runs."""

from __future__ import annotations

import subprocess
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from provision.errors import InputError
from provision.facts.host import ContentQuestion, FileState, ShellAnswer, ShellQuestion
from provision.facts.question import Question
from provision.resources import Bind, ConfigSet, Nginx
from provision.resources.base import Change, Rendering
from provision.resources.configset.activation import LoadBalancer
from provision.resources.configset.drain import NEW, drained_question, read_drained, record_drained
from provision.resources.configset.marks import mark, replace_marks
from provision.resources.optional.dependent import stamp_question

SERVERS = "".join(f"server 10.4.7.{n}:81 max_fails=3{mark(f'n{n}')};\n" for n in (21, 22)).encode()
OLDER = ShellQuestion(Nginx().older())
RENDERING = Rendering(lambda template: "")


@dataclass(frozen=True)
class Socket(LoadBalancer):
    """A balancer that is told over a socket whom to leave out: here a file, one line a host."""

    path: str
    error_log: str = "/var/log/balancer.log"

    def with_drained(self, content: bytes, drained: Collection[str]) -> bytes:
        return replace_marks(content, lambda host: b"")

    def with_marks(self, content: bytes, declared: bytes) -> bytes:
        return content

    def servers(self, content: bytes) -> frozenset[bytes]:
        return frozenset(content.split())

    def drain_script(self, drained: Collection[str]) -> str:
        return f"printf '%s\\n' {' '.join(sorted(drained))} >{self.path}"

    def validate(self) -> str:
        return "true"

    def activate(self) -> str:
        return "true"


def test_nginx_marks_a_drained_server_down_and_leaves_the_rest() -> None:
    read = Nginx().with_drained(SERVERS, {"n22"}).decode()
    assert read == "server 10.4.7.21:81 max_fails=3;\nserver 10.4.7.22:81 max_fails=3 down;\n"


@pytest.mark.parametrize("drained", [(), ("n21",), ("n21", "n22")])
def test_marks_come_back_to_a_file_that_nginx_has_read(drained: tuple[str, ...]) -> None:
    nginx = Nginx()
    assert nginx.with_marks(nginx.with_drained(SERVERS, drained), SERVERS) == SERVERS


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


def test_a_runtime_drain_leaves_the_files_as_declared(tmp_path: Path) -> None:
    told = tmp_path / "told"
    config = ConfigSet(directory="/etc/x", files={"a": SERVERS}, activation=Socket(str(told)))
    drained = config.set_drained({"n21": "run1"})
    assert drained.payload == b""  # no new file
    script = drained.script.replace("/var/lib/provision", str(tmp_path))
    subprocess.run(["sh", "-c", script], check=True)
    assert told.read_text() == "n21\n"
    assert (tmp_path / "stamps/drained").read_text() == "n21=run1\n"


def test_a_runtime_drain_that_fails_is_not_recorded(tmp_path: Path) -> None:
    config = ConfigSet(directory="/etc/x", files={"a": SERVERS}, activation=Socket(f"{tmp_path}/none/told"))
    script = config.set_drained({"n21": "run1"}).script.replace("/var/lib/provision", str(tmp_path))
    ended = subprocess.run(["sh", "-c", script], capture_output=True, check=False)
    assert ended.returncode != 0
    assert not (tmp_path / "stamps").exists()


def test_the_record_of_yesterdays_version_is_read() -> None:
    assert read_drained({drained_question(): "hdss7-21=20261124T1 hdss7-22=20261124T1"}) == {
        "hdss7-21": "20261124T1",
        "hdss7-22": "20261124T1",
    }
    assert read_drained({}) == {}
    assert "'a=r1 b=r2'" in record_drained([("b", "r2"), ("a", "r1")])
