"""The site's certificates: a CA is made once, everything else is made anew when it has to be, and only then."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from provision.errors import InputError
from roles._authority import PendingCertificate, Store
from roles._x509 import Certificate, due

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SERVER = Certificate("apiserver", "kube-apiserver", names=("192.168.0.1", "kubernetes"), server=True, client=False)
CLIENT = Certificate("admin", "kubernetes-admin", "system:masters")
AGGREGATOR = Certificate("front-proxy-client", "front-proxy-client", authority="front-proxy-ca")
EVERY = (SERVER, CLIENT, AGGREGATOR)
YEAR = 365


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "pki", NOW)
    made.renew(EVERY, YEAR)
    return made


def contents(store: Store) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in store.directory.iterdir()}


def later(store: Store, **since: float) -> Store:
    return Store(store.directory, NOW + timedelta(**since))


def loaded(store: Store, name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate((store.directory / f"{name}.pem").read_bytes())


def test_keys_are_for_their_owner_alone(store: Store) -> None:
    assert stat.S_IMODE(store.directory.stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in store.directory.iterdir()}
    assert {name: mode for name, mode in modes.items() if "key" in name} == dict.fromkeys(
        ("ca-key.pem", "front-proxy-ca-key.pem", "apiserver-key.pem", "admin-key.pem", "front-proxy-client-key.pem",
         "sa-key.pem"),
        0o600,
    )  # fmt: skip


def test_a_second_time_makes_nothing(store: Store) -> None:
    before = contents(store)
    assert later(store, days=100).renew(EVERY, YEAR) == ()
    assert contents(store) == before


def test_a_certificate_is_as_declared_and_of_its_ca(store: Store) -> None:
    names = loaded(store, "apiserver").extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["192.168.0.1"]
    assert names.get_values_for_type(x509.DNSName) == ["kubernetes"]
    assert loaded(store, "admin").subject.rfc4514_string() == "CN=kubernetes-admin,O=system:masters"
    loaded(store, "admin").verify_directly_issued_by(loaded(store, "ca"))
    loaded(store, "front-proxy-client").verify_directly_issued_by(loaded(store, "front-proxy-ca"))


@pytest.mark.parametrize(
    ("days", "answer"), [(0, False), (200, False), (243, False), (244, True), (364, True), (366, True)]
)
def test_a_certificate_is_due_in_the_last_third_of_its_life(store: Store, days: int, answer: bool) -> None:
    assert due(loaded(store, "admin"), NOW + timedelta(days=days)) is answer


def test_what_is_due_is_made_anew_and_the_authorities_are_not(store: Store) -> None:
    before = contents(store)
    assert set(later(store, days=250).renew(EVERY, YEAR)) == {"apiserver", "admin", "front-proxy-client"}
    after = contents(store)
    kept = {"ca.pem", "ca-key.pem", "front-proxy-ca.pem", "front-proxy-ca-key.pem", "sa.pem", "sa-key.pem"}
    assert {name for name in after if after[name] == before[name]} == kept


def test_a_new_master_gets_into_the_certificate(store: Store) -> None:
    more = Certificate("apiserver", "kube-apiserver", names=(*SERVER.names, "10.4.7.23"), server=True, client=False)
    assert store.renew((more, CLIENT, AGGREGATOR), YEAR) == ("apiserver",)


def test_a_key_without_its_certificate_is_made_again(store: Store) -> None:
    (store.directory / "admin-key.pem").write_bytes((store.directory / "apiserver-key.pem").read_bytes())
    assert store.renew(EVERY, YEAR) == ("admin",)


def test_no_certificate_outlives_its_authority(store: Store) -> None:
    late = later(store, days=3500)
    late.renew(EVERY, YEAR)
    assert loaded(store, "admin").not_valid_after_utc == loaded(store, "ca").not_valid_after_utc


def test_a_plan_says_what_a_deploy_would_make(store: Store) -> None:
    assert isinstance(store.pair(CLIENT)[0], bytes)
    certificate, _ = later(store, days=250).pair(CLIENT)
    assert certificate == PendingCertificate("deploy makes admin.pem (it nears its end)", "kubernetes-admin")
    none = Store(store.directory / "none", NOW)
    assert none.authority("ca") == PendingCertificate("deploy makes the CA", "kubernetes-ca")


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda folder: (folder / "ca-key.pem").unlink(), "ca-key.pem: it is gone"),
        (lambda folder: (folder / "ca.pem").unlink(), "ca.pem: it is gone"),
        (lambda folder: (folder / "sa-key.pem").unlink(), "sa-key.pem: it is gone"),
        (lambda folder: (folder / "ca-key.pem").write_text("garbage"), "ca-key.pem: it is no private key"),
        (lambda folder: (folder / "ca.pem").write_text("garbage"), "ca.pem: it is no certificate"),
        (lambda folder: (folder / "front-proxy-ca-key.pem").rename(folder / "ca-key.pem"), "it is another CA's"),
    ],
)
def test_an_authority_that_was_lost_is_never_made_again(store: Store, harm: object, said: str) -> None:
    harm(store.directory)  # type: ignore[operator]
    before = contents(store)
    with pytest.raises(InputError) as error:
        store.renew(EVERY, YEAR)
    assert said in str(error.value)
    assert "backup" in str(error.value)
    assert contents(store) == before


def test_tokens_stay_good_when_only_the_public_half_was_lost(store: Store) -> None:
    before = contents(store)
    (store.directory / "sa.pem").unlink()
    store.renew(EVERY, YEAR)
    assert contents(store) == before


def test_a_key_that_others_could_read_is_closed_again(store: Store) -> None:
    (store.directory / "ca-key.pem").chmod(0o644)
    store.directory.chmod(0o755)
    store.renew(EVERY, YEAR)
    assert stat.S_IMODE((store.directory / "ca-key.pem").stat().st_mode) == 0o600
    assert stat.S_IMODE(store.directory.stat().st_mode) == 0o700


def test_an_authority_that_has_ended_is_told(store: Store) -> None:
    with pytest.raises(InputError, match="the CA has ended"):
        later(store, days=3651).renew(EVERY, YEAR)
