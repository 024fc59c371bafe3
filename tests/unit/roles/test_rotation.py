"""The replacement of the site's CAs: what is trusted and who issues in each step, and the steps that come too early."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from provision.errors import InputError
from provision.resources import Pending
from roles._authority import Store
from roles._rotation import Phase
from roles._x509 import Certificate
from tests.unit.conftest import Declared

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CLIENT = Certificate("admin", "kubernetes-admin", "system:masters")
AGGREGATOR = Certificate("front-proxy-client", "front-proxy-client", authority="front-proxy-ca")
EVERY = (CLIENT, AGGREGATOR)
YEAR = 365


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "pki", NOW)
    made.renew(EVERY, YEAR)
    return made


def during(store: Store, phase: Phase) -> Store:
    return replace(store, phase=phase)


def deployed(store: Store, *phases: Phase) -> Store:
    """The folder after a deploy with each of these."""
    for phase in phases:
        during(store, phase).renew(EVERY, YEAR)
    return during(store, phases[-1])


def trusted(store: Store, name: str = "ca") -> list[x509.Certificate]:
    content = store.authority(name)
    assert isinstance(content, bytes)
    return x509.load_pem_x509_certificates(content)


def issuers(store: Store) -> list[int]:
    """Which of the trusted CAs have issued the certificates in use."""
    certificates = [(each, x509.load_pem_x509_certificate(store.certificate(each.name) or b"")) for each in EVERY]
    return [
        next(place for place, ca in enumerate(trusted(store, each.authority)) if _issued(found, ca))
        for each, found in certificates
    ]


def _issued(found: x509.Certificate, ca: x509.Certificate) -> bool:
    return found.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier == (
        ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    )


def test_each_step_trusts_and_issues_as_the_one_before_and_after_can_live_with(store: Store) -> None:
    (old,) = trusted(store)
    first = deployed(store, Phase.TRUST)
    assert trusted(first)[0] == old
    assert len(trusted(first)) == 2
    assert issuers(first) == [0, 0]
    second = deployed(store, Phase.ISSUE)
    assert (both := trusted(second)) == trusted(during(store, Phase.TRUST))
    assert issuers(second) == [1, 1]
    third = deployed(store, Phase.DISTRUST)
    assert trusted(third) == both[1:]
    assert issuers(third) == [0, 0]
    assert {path.name for path in store.directory.iterdir() if "next" in path.name} == set()
    assert trusted(during(store, Phase.NONE)) == trusted(third)


@pytest.mark.parametrize("phase", [Phase.TRUST, Phase.ISSUE, Phase.DISTRUST])
def test_a_step_done_twice_changes_nothing(store: Store, phase: Phase) -> None:
    deployed(
        store,
        *(each for each in Phase if each is not Phase.NONE and list(Phase).index(each) <= list(Phase).index(phase)),
    )
    before = {path.name: path.read_bytes() for path in store.directory.iterdir()}
    assert during(store, phase).renew(EVERY, YEAR) == ()
    assert {path.name: path.read_bytes() for path in store.directory.iterdir()} == before


def test_what_is_declared_before_the_last_deploy_is_what_stands_after_it(store: Store) -> None:
    deployed(store, Phase.TRUST, Phase.ISSUE)
    before = during(store, Phase.DISTRUST).authority("ca")
    assert deployed(store, Phase.DISTRUST).authority("ca") == before


def test_the_last_deploy_cut_between_two_files_is_done_once_more(store: Store) -> None:
    deployed(store, Phase.TRUST, Phase.ISSUE)
    later = during(store, Phase.DISTRUST)
    expected = later.authority("ca")
    (store.directory / "ca-key.pem").write_bytes((store.directory / "ca-next-key.pem").read_bytes())
    assert later.renew(EVERY, YEAR) == ()
    assert later.authority("ca") == expected


@pytest.mark.parametrize(
    ("before", "phase", "match"),
    [
        ((), Phase.ISSUE, "there is no next CA to issue by.*'trust' and deploy"),
        ((Phase.TRUST,), Phase.NONE, "the replacement of the CA has begun.*remove ca-next.pem and ca-next-key.pem"),
        ((Phase.TRUST,), Phase.DISTRUST, "not every certificate is of the next CA yet.*admin.pem.*'issue' and deploy"),
        ((Phase.TRUST, Phase.ISSUE, Phase.DISTRUST), Phase.ISSUE, "there is no next CA to issue by"),
    ],
)
def test_a_step_that_comes_too_early_is_refused(
    store: Store, before: tuple[Phase, ...], phase: Phase, match: str
) -> None:
    if before:
        deployed(store, *before)
    with pytest.raises(InputError, match=match):
        during(store, phase).renew(EVERY, YEAR)


def test_a_ca_that_has_ended_is_replaced_without_the_first_step(store: Store) -> None:
    ended = replace(store, now=NOW + timedelta(days=3651))
    with pytest.raises(InputError, match=r"the CA has ended.*Set pki.rotate to 'issue'"):
        ended.renew(EVERY, YEAR)
    made = deployed(ended, Phase.ISSUE)
    assert made.introduced("ca") == b""  # no host has to trust it before
    assert issuers(made) == [1, 1]
    assert len(trusted(deployed(ended, Phase.DISTRUST))) == 1


def test_a_plan_of_the_first_step_waits_for_the_deploy_that_makes_the_next_ca(store: Store) -> None:
    first = during(store, Phase.TRUST)
    assert isinstance(first.authority("ca"), Pending)
    assert first.known("ca") == store.authority("ca")
    assert first.renew(EVERY, YEAR) == ("ca", "front-proxy-ca")  # so that everything is declared anew
    assert isinstance(first.authority("ca"), bytes)


def test_programs_and_pods_that_trust_a_ca_start_anew_when_it_changes(declared: Declared) -> None:
    def authority(step: str) -> str:
        found = declared("hdss7-21", "traefik", f"pki.rotate={step}")["Manifests traefik"]
        (line,) = re.findall(r"trusted-authorities: (\S+)}", found.content)
        return str(line)

    before = authority("")
    assert authority("trust") != before


def test_a_step_for_some_hosts_only_is_refused(declared: Declared, tmp_path: Path) -> None:
    (tmp_path / "more.yml").write_text("all: {hosts: {hdss7-21: {pki: {rotate: trust}}}}\n")
    with pytest.raises(InputError, match=r"not the same for all hosts.*group_vars/all.yml"):
        declared("hdss7-21", "pki", also=(tmp_path / "more.yml",))
