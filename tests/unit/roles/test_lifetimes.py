"""Until when certificates are valid: what is found in files, what is said of it, and that keys are never read."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision.facts.host import ShellQuestion
from provision.resources import File
from roles._authority import PendingCertificate, Store
from roles._lifetimes import (
    CertificateFile,
    Lifetime,
    State,
    authority_note,
    certificate_files,
    certificates_in,
    in_folder,
)
from roles._x509 import Certificate
from tests.unit.conftest import Declared
from tests.unit.machine import Machine

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ADMIN = Certificate("admin", "kubernetes-admin", "system:masters")
SERVER = Certificate("apiserver", "kube-apiserver", names=("10.4.7.21", "kubernetes"), server=True, client=False)
YEAR, CA_DAYS = 365, 3650


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "pki", NOW)
    made.renew((ADMIN, SERVER), YEAR)
    return made


def pem(store: Store, name: str) -> str:
    return (store.directory / f"{name}.pem").read_text()


def kubeconfig(store: Store) -> str:
    certificate, key = (base64.b64encode(pem(store, name).encode()).decode() for name in ("admin", "admin-key"))
    return f"users:\n- name: admin\n  user:\n    client-certificate-data: {certificate}\n    client-key-data: {key}\n"


def in_days(store: Store, days: int, text: str, declared: str | None = None) -> Lifetime:
    """What is said of a file with this text, so many days after the certificates were made."""
    file = CertificateFile("/f.pem", "kubernetes-admin", certificates_in(text if declared is None else declared))
    (lifetime,) = file.lifetimes(text, NOW + timedelta(days=days))
    return lifetime


@pytest.mark.parametrize(
    ("name", "days", "state", "urgent"),
    [
        ("admin", 0, State.OK, False),
        ("admin", 244, State.DUE, False),
        ("admin", 334, State.DUE, False),
        ("admin", 335, State.DUE, True),
        ("admin", 365, State.ENDED, True),
        ("ca", CA_DAYS - 366, State.OK, False),
        ("ca", CA_DAYS - 365, State.DUE, False),
        ("ca", CA_DAYS - 30, State.DUE, True),
        ("ca", CA_DAYS, State.ENDED, True),
    ],
)
def test_the_state_of_a_certificate_follows_from_the_date(
    store: Store, name: str, days: int, state: State, urgent: bool
) -> None:
    found = in_days(store, days, pem(store, name))
    assert (found.state, found.urgent(NOW + timedelta(days=days))) == (state, urgent)


def test_a_certificate_of_a_week_is_not_urgent_when_it_is_new(tmp_path: Path) -> None:
    store = Store(tmp_path / "pki", NOW)
    store.renew((ADMIN,), 7)
    assert not in_days(store, 0, pem(store, "admin")).urgent(NOW)
    assert in_days(store, 5, pem(store, "admin")).urgent(NOW + timedelta(days=5))


def test_what_is_missing_damaged_or_another_is_told(store: Store) -> None:
    admin, server = pem(store, "admin"), pem(store, "apiserver")
    assert in_days(store, 0, "", declared=admin).state is State.MISSING
    assert in_days(store, 0, admin.replace("MII", "***", 1), declared=admin).state is State.DAMAGED
    other = in_days(store, 0, server, declared=admin)
    assert (other.state, other.whose, other.names) == (State.DIFFERS, "kube-apiserver", ("10.4.7.21", "kubernetes"))
    assert in_days(store, YEAR, server, declared=admin).state is State.ENDED


def test_the_certificate_of_a_kubeconfig_is_found(store: Store) -> None:
    found = in_days(store, 0, kubeconfig(store))
    assert (found.whose, found.ends) == ("kubernetes-admin", NOW + timedelta(days=YEAR))


def test_reading_a_file_prints_no_key(store: Store, tmp_path: Path) -> None:
    both = tmp_path / "both of them.pem"
    both.write_text(pem(store, "admin-key") + pem(store, "admin") + pem(store, "admin-key"))
    config = tmp_path / "kubeconfig"
    config.write_text(kubeconfig(store))
    for path in (both, config, tmp_path / "none"):
        asked = ShellQuestion(CertificateFile(str(path), "").read)
        said = Machine(tmp_path).answers([asked])[asked].output
        assert len(certificates_in(said)) == path.exists()
        assert "PRIVATE" not in said
        assert "client-key-data" not in said


def files(resources: Mapping[str, Any]) -> dict[str, str]:
    return {file.path.rpartition("/")[2]: file.whose for file in certificate_files(resources.values())}


MASTERS = {
    "apiserver.pem": "kube-apiserver",
    "client.pem": "kube-apiserver-etcd-client",
    "apiserver-kubelet-client.pem": "kube-apiserver-kubelet-client",
    "front-proxy-client.pem": "front-proxy-client",
    "admin.kubeconfig": "kubernetes-admin",
    "front-proxy-ca.pem": "kubernetes-front-proxy-ca",
}


def test_the_files_of_a_role_that_hold_certificates_are_found(declared: Declared) -> None:
    assert files(declared("hdss7-21", "kube_apiserver")) == MASTERS
    assert files(declared("hdss7-11", "etcd")) == {"ca.pem": "kubernetes-ca", "etcd-peer.pem": "hdss7-11.host.com"}


def test_they_are_found_too_where_a_deploy_makes_them_anew(declared: Declared) -> None:
    before = files(declared("hdss7-21", "kube_apiserver", made=False))
    assert {**before, "admin.kubeconfig": "kubernetes-admin"} == MASTERS
    file = File(path="/f", content=PendingCertificate("deploy makes f.pem", "somebody"))
    assert list(certificate_files([file])) == [CertificateFile("/f", "somebody")]


def test_the_folder_says_why_a_certificate_is_made_anew(store: Store) -> None:
    more = Certificate("apiserver", "kube-apiserver", names=("10.4.7.22",), server=True, client=False)
    said = {each.whose: (each.state, each.why) for each in in_folder(store, (ADMIN, more))}
    assert said == {
        "kubernetes-ca": (State.OK, ""),
        "kubernetes-admin": (State.OK, ""),
        "kube-apiserver": (State.DUE, "it says something else"),
    }
    none = Store(store.directory / "none", NOW)
    assert {(each.state, each.why) for each in in_folder(none, (ADMIN,))} == {(State.MISSING, "deploy makes it")}


@pytest.mark.parametrize(
    ("left", "said"), [(366, ""), (300, "ends on 2035-12-30, in 300 days"), (0, "has ended"), (-9, "has ended")]
)
def test_the_end_of_a_ca_is_told_a_year_before(store: Store, left: int, said: str) -> None:
    now = NOW + timedelta(days=CA_DAYS - left)
    note = authority_note(in_days(store, CA_DAYS - left, pem(store, "ca")), now)
    assert (said in note) if said else note == ""


@given(st.text())
def test_any_text_holds_certificates_or_is_damaged(text: str) -> None:
    for every in (text, f"-----BEGIN CERTIFICATE-----{text}-----END CERTIFICATE-----"):
        (found,) = CertificateFile("/f", "somebody").lifetimes(every, NOW)
        assert found.state in (State.MISSING, State.DAMAGED)


def test_verify_names_whose_certificate_ends_where_and_when(store: Store) -> None:
    admin = pem(store, "admin")
    assert in_days(store, 340, admin).sentence() == "kubernetes-admin (/f.pem) ends on 2027-01-01"
    assert in_days(store, 365, admin).sentence() == "kubernetes-admin (/f.pem) has ended on 2027-01-01"
    assert in_days(store, 0, "", declared=admin).sentence() == "kubernetes-admin (/f.pem) is missing"
