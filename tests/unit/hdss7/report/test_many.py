"""The end of a run over many hosts: what is alike is one line, and --verbose has all of it."""

from __future__ import annotations

import io
from typing import Any

import pytest

from hdss7.report import text
from hdss7.report.console import FAILURES_SHOWN, Console
from provision.apply.events import HostFailed, RunEnded, RunStarted
from provision.apply.run import HostRun, Report
from provision.apply.states import Done, Failed, Unreached
from provision.errors import Exit, UnreachableError
from provision.plan.plan import HostPlan
from provision.remote.host import RemoteHost
from provision.remote.login import Login

SESSION: Any = None
TIMEOUT, KEY = "could not log in", "the host key has changed: refused"


class Moved(RemoteHost):
    """A host whose worker was lost once."""

    moved = ("process 7",)


def login(number: int) -> Login:
    return Login(f"h{number:03}", f"10.0.0.{number}")


def well(number: int, kind: type[RemoteHost] = RemoteHost) -> HostRun:
    return HostRun(kind(login(number)), Done(SESSION, HostPlan(f"h{number:03}", ())), seconds=number / 10)


def ill(number: int, what: str) -> HostRun:
    name, at = f"h{number:03}", f"10.0.0.{number}:22"
    found = f"{at}: no answer" if what == TIMEOUT else f"10.0.0.{number} now shows the key SHA256:{number}"
    do = "Look whether the host is up" if what == TIMEOUT else f"Compare it, then run: hosts.trust {name}"
    error = UnreachableError(what, host=name, found=found, do=do)
    return HostRun(RemoteHost(login(number)), Failed(error, Unreached()))


HOSTS = [*(well(n) for n in range(1, 171)), *(ill(n, TIMEOUT) for n in range(171, 181))]
HOSTS += [ill(n, KEY) for n in range(181, 191)]


def ending(capsys: pytest.CaptureFixture[str], hosts: list[HostRun], verbose: int) -> list[str]:
    out = io.StringIO()
    console = Console(out, diff=False, verbose=verbose)
    console(RunStarted(tuple(host.name for host in hosts), False))
    console(RunEnded(1.0))
    console.finish(Report(tuple(hosts), Exit.UNREACHABLE, 1.0), check=True, next_step="Next: ping")
    return [line for line in (out.getvalue() + capsys.readouterr().err).splitlines() if line]


def test_the_end_of_a_run_over_many_hosts_is_ten_lines(capsys: pytest.CaptureFixture[str]) -> None:
    lines = ending(capsys, HOSTS, 0)
    assert len(lines) <= 10
    said = "\n".join(lines)
    assert "170 hosts  ok" in said
    assert "20 hosts   unreachable" in said
    assert all(host.name in said for host in HOSTS if host.error)


def test_verbose_names_every_host_and_every_key(capsys: pytest.CaptureFixture[str]) -> None:
    said = "\n".join(ending(capsys, HOSTS, 1))
    assert all(f"\n{host.name} " in said for host in HOSTS)
    assert all(f"SHA256:{number}" in said for number in range(181, 191))


def test_errors_that_differ_in_details_are_one_paragraph() -> None:
    [said] = text.paragraphs(host.error for host in HOSTS[-10:] if host.error)
    assert said.startswith("h181, h182, h183, h184, h185, h186, h187, h188, h189, h190: the host key has changed")
    assert "SHA256:181 (h181; of the others --verbose says it)" in said
    assert said.endswith("hosts.trust HOST.")


def test_three_such_errors_keep_their_details() -> None:
    assert len(text.paragraphs(host.error for host in HOSTS[-3:] if host.error)) == 3


def test_failures_of_one_kind_are_shown_some_while_the_run_goes_on() -> None:
    out = io.StringIO()
    console = Console(out, diff=False)
    console(RunStarted(tuple(host.name for host in HOSTS), False))
    for number in range(100):
        error = ill(number, TIMEOUT).error
        assert error
        console(HostFailed(f"h{number:03}", error, True))
    assert out.getvalue().count("FAILED") == FAILURES_SHOWN


def test_hosts_of_a_lost_worker_are_named_where_they_went_on() -> None:
    [said] = text.moved_lines([well(1, Moved), well(2, Moved), well(3)])
    assert said == "process 7 was lost: 2 hosts taken over by another worker: h001, h002"
