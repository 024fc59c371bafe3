"""The rows of test_tls.py once more, with HAProxy as the edge's program."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab import test_tls as rows
from tests.lab.repeated import again
from tests.lab.tls_site import TlsSite

test_tls_is_turned_on_with_haproxy = again(rows.test_tls_is_turned_on_without_a_failed_request)
test_every_check_holds_with_tls = again(rows.test_verify_passes_with_tls)
test_nodes_roll_behind_haproxy_with_tls = again(rows.test_nodes_roll_with_tls)
test_a_renewed_certificate_is_a_reload = again(rows.test_a_renewed_certificate_is_a_reload)
test_nobody_sees_the_private_key = again(rows.test_nobody_sees_the_private_key)
test_given_certificates_take_over = again(rows.test_given_certificates_take_over)
test_names_are_closed_by_haproxy = again(rows.test_names_are_closed_without_a_failed_request)
test_who_may_come_in_does_and_nobody_else = again(rows.test_who_may_come_in_does_and_nobody_else)
test_wrong_passwords_harm_nobody = again(rows.test_wrong_passwords_harm_nobody)
test_the_password_is_nowhere_on_the_hosts = again(rows.test_the_password_is_nowhere_on_the_hosts)


@pytest.fixture(scope="module")
def site(tls: TlsSite) -> TlsSite:
    """The site of the other module, switched to HAProxy and back to http."""
    tls.program = "haproxy"
    assert (ended := tls.invoke("deploy")).code == 0, str(ended)
    return tls


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """The words that close two names."""
    return rows.closing(tmp_path_factory.mktemp("closed"))


def test_the_hashes_of_passwords_are_roots_alone(site: TlsSite) -> None:
    found = site.on("hdss7-11", "find -L /etc/haproxy/site/users.d -type f -printf '%f %m %u\\n'")
    assert found == "traefik.od.com.cfg 600 root"
    assert site.on("hdss7-11", "grep -rlF '$2b$' /etc/haproxy/haproxy.cfg /etc/haproxy/releases || :") == ""


def test_names_are_opened_again(site: TlsSite) -> None:
    rows.test_names_are_opened_again(site)
    assert site.on("hdss7-11", "ls /etc/haproxy/site/users.d") == ""


def test_a_set_that_was_put_back_has_its_users(site: TlsSite, closed: tuple[str, ...], tmp_path: Path) -> None:
    """A set that HAProxy refuses: the one before it, with its users, is what runs."""
    assert (ended := site.invoke("deploy", *closed)).code == 0, str(ended)
    refused = site.invoke("deploy", *closed, "--extra-vars", "edge.worker_processes=1000")
    assert refused.code == 1, str(refused)
    dashboard = "https://traefik.od.com/dashboard/"
    assert rows.asked(site, "hdss7-22", dashboard) == "401"
    assert rows.asked(site, "hdss7-22", "-u", f"ann:{rows.PASSWORD}", dashboard) == "200"
