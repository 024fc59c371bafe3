"""The error of a failed run says why the site does not answer."""

from __future__ import annotations

import pytest

from hdss7.explained import explained
from provision.apply.run import HostRun, Report
from provision.apply.states import Failed, Unreached
from provision.errors import Exit, FailedError, ProvisionError, UnreachableError
from provision.playbook.health_check import HealthCheck
from provision.playbook.plays import Play
from provision.remote.host import RemoteHost
from provision.remote.login import Login

URL = "http://traefik.od.com/dashboard/"
SAID = f"Trace of {URL}: nothing listens on port 80 of hdss7-11"


class Dark:
    """A site with one URL that does not answer."""

    plays: tuple[Play, ...] = tuple(Play(name=one, hosts=one, roles=(), line="") for one in ("nodes", "masters"))

    def health_check(self, play: Play) -> HealthCheck | None:
        return HealthCheck(URL, 81)

    def explain(self, url: str) -> str:
        return SAID


def report(error: ProvisionError, exit: Exit = Exit.FAILED) -> Report:
    return Report((HostRun(RemoteHost(Login("h", "192.0.2.1")), Failed(error, Unreached())),), exit, 1.0)


def test_the_verdict_is_added_to_the_first_error() -> None:
    held = report(FailedError("nginx did not start", found="port in use."))
    assert explained(held, Dark()) == SAID
    assert held.hosts[0].error
    assert held.hosts[0].error.found == f"port in use. {SAID}"


@pytest.mark.parametrize(
    ("error", "exit"),
    [
        (FailedError("it did not pass its gate", found=f"502. {SAID}"), Exit.FAILED),
        (UnreachableError("could not log in"), Exit.UNREACHABLE),
    ],
)
def test_it_is_not_asked_twice_nor_for_a_host_that_is_silent(error: ProvisionError, exit: Exit) -> None:
    assert explained(report(error, exit), Dark()) == ""
