"""ACME: which names are proven where, when an order is due, and what of an order that failed is remembered."""

from __future__ import annotations

import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from provision.errors import FailedError, InputError
from provision.resources import ConfigSet
from roles._acme import Wanted, aliases, challenge, fault, issued_by, proof, why_due
from roles._acme_folder import Failure, Folder
from roles._x509 import Authority, Certificate
from tests.unit.conftest import Declared

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
WANTED = Wanted("https://acme.example/dir", "ops@od.com", "od.com", ("*.od.com", "a.shop.od.com"))
CA = Authority.new("a CA", NOW)
ACME = ("edge.tls.source=acme", "edge.tls.directory=https://acme.example/dir")


def issued(*names: str, since: datetime = NOW, days: int = 90) -> bytes:
    return b"".join(CA.issue(Certificate("x", "x", names=names, server=True), since, days))


@pytest.mark.parametrize(
    ("name", "asked", "lies"),
    [
        ("*.od.com", "_acme-challenge.od.com", "_acme.od.com"),
        ("a.shop.od.com", "_acme-challenge.a.shop.od.com", "a.shop._acme.od.com"),
        ("*.shop.od.com", "_acme-challenge.shop.od.com", "shop._acme.od.com"),
    ],
)
def test_a_challenge_leads_into_the_dynamic_zone(name: str, asked: str, lies: str) -> None:
    assert (challenge(name), proof(name, "od.com")) == (asked, lies)
    assert aliases([name], "od.com") == {asked.removesuffix(".od.com"): lies.removesuffix(".od.com")}


@pytest.mark.parametrize(
    ("pem", "why"),
    [
        (None, "there is none"),
        (b"-----BEGIN nothing", "it is damaged"),
        (issued("shop.od.com"), "it is not for *.od.com"),
        (issued("*.od.com"), "it is not for a.shop.od.com"),
        (issued(*WANTED.names), ""),
        (issued(*WANTED.names, since=NOW - timedelta(days=59)), ""),
        (issued(*WANTED.names, since=NOW - timedelta(days=61)), "it nears its end"),
        (issued(*WANTED.names, since=NOW - timedelta(days=91)), "it has ended"),
        (CA.issue(Certificate("x", "x"), NOW, 9)[0] + issued(*WANTED.names).partition(b"-----BEGIN C")[1]
         + issued(*WANTED.names).partition(b"-----BEGIN C")[2], "its key is another's"),
    ],
)  # fmt: skip
def test_an_order_is_due(pem: bytes | None, why: str) -> None:
    assert why_due(pem, WANTED, NOW) == why


def test_what_lacks_a_deeper_name_is_shown_until_there_is_another() -> None:
    assert fault(issued("*.od.com"), WANTED, NOW) == ""


def test_the_edges_own_certificate_is_told_from_an_ordered_one() -> None:
    assert issued_by(issued("*.od.com"), CA.pem[1])
    assert not issued_by(issued("*.od.com"), Authority.new("another", NOW).pem[1])
    assert not issued_by(issued("*.od.com"), None)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path / "acme", "od.com")
    with made.locked():
        return made


def test_a_certificate_is_of_the_server_that_it_was_ordered_from(folder: Folder) -> None:
    pem = issued(*WANTED.names)
    folder.keep(WANTED, pem)
    assert folder.certificate() == folder.certificate(WANTED.directory) == pem
    assert folder.certificate("https://staging.example/dir") is None
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o600


def test_an_account_has_a_key_of_its_own_for_each_server(folder: Folder) -> None:
    first = folder.account("https://acme.example/dir")
    assert folder.account("https://acme.example/dir") == first
    assert folder.account("https://staging.example/dir") != first
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.directory.iterdir()} == {0o600}


def test_the_same_order_waits_and_another_does_not(folder: Folder) -> None:
    again = NOW + timedelta(hours=1)
    folder.fail(Failure(WANTED.directory, WANTED.contact, WANTED.names, "rateLimited", "too many", again))
    failure = folder.failure()
    assert failure
    assert failure.holds(WANTED, NOW)
    assert not failure.holds(WANTED, again)
    assert not failure.holds(replace(WANTED, names=("*.od.com",)), NOW)
    assert not failure.holds(replace(WANTED, directory="https://other.example/dir"), NOW)
    folder.keep(WANTED, issued(*WANTED.names))
    assert folder.failure() is None


def test_two_orders_at_once_are_one(folder: Folder) -> None:
    with (
        folder.locked(),
        pytest.raises(FailedError, match=r"another run orders a certificate for od\.com"),
        folder.locked(),
    ):
        pass


def test_bind_serves_the_challenges_only_with_acme(declared: Declared) -> None:
    off, on = (declared("hdss7-11", "bind", *extra, made=False)["ConfigSet /etc/bind"] for extra in ((), ACME))
    assert isinstance(off, ConfigSet)
    assert isinstance(on, ConfigSet)
    assert "_acme" not in str(off.files)
    assert b"\n_acme-challenge IN CNAME _acme\n" in on._contents["zones/od.com.zone"]
    assert b"\n_acme IN NS dns\n" in on._contents["zones/od.com.zone"]
    assert b"_acme" not in on._contents["zones/host.com.zone"]
    assert b"update-policy local;" in on._contents["named.conf.local"]


def test_acme_without_a_server_is_refused(declared: Declared) -> None:
    with pytest.raises(InputError, match=r"nothing says whom to ask.*Set edge\.tls\.directory"):
        declared("hdss7-11", "edge", "edge.tls.source=acme", made=False)


@pytest.mark.parametrize("value", ["ops", "a b@od.com", "ops@od.com\nx", "mailto:ops@od.com"])
def test_a_contact_that_is_no_address_is_refused(declared: Declared, value: str) -> None:
    with pytest.raises(InputError, match=r"edge\.tls\.contact"):
        declared("hdss7-11", "edge", *ACME, f"edge.tls.contact={value!r}", made=False)
