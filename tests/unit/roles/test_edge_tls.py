"""The edge's TLS: which name shows which certificate, from where it comes, and what no client would accept."""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from provision.errors import InputError
from provision.inventory import Inventory
from provision.inventory.settings import SITE, bind
from provision.playbook.plays import Play, RoleUse
from provision.playbook.roles import Roles
from provision.resources import ConfigSet, HashedFile, Pending
from provision.search_path import SearchPath
from provision.secret import secret
from roles import _edge_tls
from roles._edge_sites import ServedName, SiteOfEdge, Tls, TlsOfSite, served_names
from roles._given import check_issuer, covers, given
from roles._site import SiteSettings
from roles._x509 import Authority, Certificate
from tests.unit.conftest import ROOT, Declared

NOW = datetime.now(UTC)
EDGE = Play("edge", "edge", (RoleUse("edge"),))


@pytest.fixture
def lab(facts: Path) -> Inventory:
    """The lab's inventory, its keys in a folder of the test."""
    roles = Roles(SearchPath.of(ROOT))
    return Inventory.load([ROOT / "inventory/lab", facts], namespaces=frozenset((*roles.names(), SITE)))


def issued(*names: str, days: int = 90, now: datetime = NOW) -> tuple[str, str, str]:
    """Chain, key and CA, PEM."""
    authority = Authority.new("somebody's CA", now)
    key, certificate = authority.issue(Certificate("x", "x", names=names, server=True), now, days)
    return certificate.decode(), key.decode(), authority.pem[1].decode()


def refused(lab: Inventory, certificate: str, key: str, *needed: str, now: datetime = NOW) -> str:
    pair = TlsOfSite(certificate, secret(key) if key.startswith("-") else key)
    with pytest.raises(InputError) as error:
        given(lab.host("hdss7-11"), ("edge", "tls"), pair, needed or ("*.od.com",), now)
    assert "PRIVATE" not in str(error.value)
    return str(error.value)


def test_names_differ_only_where_they_are_set_to(lab: Inventory) -> None:
    sites = {
        "same": SiteOfEdge(tls=TlsOfSite(redirect=True)),
        "plain": SiteOfEdge(tls=TlsOfSite(redirect=False)),
        "grpc": SiteOfEdge("h2c"),
        "shop": SiteOfEdge(tls=TlsOfSite("shop.pem", "shop-key.pem", hsts=60)),
    }
    assert served_names(lab.hosts[0], SiteSettings(), Tls("own"), sites) == (
        ServedName("*.od.com", "http", "od.com", redirect=True),
        ServedName("plain.od.com", "http", "od.com", redirect=False),
        ServedName("grpc.od.com", "h2c", "od.com", redirect=True),
        ServedName("shop.od.com", "http", "shop.od.com", redirect=True, hsts=60),
    )
    assert served_names(lab.hosts[0], SiteSettings(), Tls(), {}) == (ServedName("*.od.com"),)


def test_a_names_tls_without_the_domains_is_refused(lab: Inventory) -> None:
    with pytest.raises(InputError, match=r"edge\.sites\.shop\.tls has no effect: edge\.tls is off"):
        served_names(lab.hosts[0], SiteSettings(), Tls(), {"shop": SiteOfEdge(tls=TlsOfSite(hsts=1))})


@pytest.mark.parametrize(
    ("tls", "sites", "said"),
    [
        (Tls(certificate="tls/c.pem", key="tls/k.pem"), {}, "edge.tls has no effect"),
        (Tls(hsts=300), {}, "edge.tls has no effect"),
        (Tls(), {"traefik.od.com": SiteOfEdge(networks=("10.4.7.0/24",))}, "traefik.od.com with its domain"),
    ],
)
def test_what_would_have_no_effect_is_refused(
    lab: Inventory, tls: Tls, sites: dict[str, SiteOfEdge], said: str
) -> None:
    with pytest.raises(InputError, match=re.escape(said)):
        served_names(lab.hosts[0], SiteSettings(), tls, sites)


@pytest.mark.parametrize(
    ("name", "wanted", "covered"),
    [
        ("*.od.com", "shop.od.com", True),
        ("*.OD.com", "*.od.com", True),
        ("*.od.com", "a.b.od.com", False),
        ("*.od.com", "od.com", False),
        ("shop.od.com", "*.od.com", False),
        ("shop.od.com", "shop.od.com", True),
    ],
)
def test_a_wildcard_stands_for_one_label(name: str, wanted: str, covered: bool) -> None:
    assert covers(name, wanted) is covered


def test_the_edges_own_ca_is_good_for_its_domain_alone(facts: Path, lab: Inventory) -> None:
    site = bind(SiteSettings, lab.hosts[0], SITE)
    sites = {"a.b": SiteOfEdge(tls=TlsOfSite(hsts=1))}
    assert _edge_tls.prepare(lab.host("hdss7-11"), site, Tls("own"), sites)
    assert not _edge_tls.prepare(lab.host("hdss7-11"), site, Tls("own"), sites)
    keys = _edge_tls.store(lab, site)
    assert not (keys.directory / "sa-key.pem").exists()
    authority = x509.load_pem_x509_certificate(keys.known("ca-od.com"))
    limits = authority.extensions.get_extension_for_class(x509.NameConstraints)
    assert limits.critical
    assert limits.value.permitted_subtrees == [x509.DNSName("od.com")]
    found = _edge_tls.files(lab.host("hdss7-11"), site, Tls("own"), sites)["od.com"]
    leaf = x509.load_pem_x509_certificate(found.payload)
    leaf.verify_directly_issued_by(authority)
    said = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert said.get_values_for_type(x509.DNSName) == ["*.od.com", "a.b.od.com"]
    assert load_pem_private_key(found.payload, None).public_key() == leaf.public_key()


def test_a_certificate_in_its_last_third_is_made_anew(lab: Inventory) -> None:
    site = bind(SiteSettings, lab.hosts[0], SITE)
    host, keys = lab.host("hdss7-11"), _edge_tls.store(lab, site)
    wanted = _edge_tls.own(host, site, {})
    keys.renew([wanted], 90)
    later = keys.__class__(keys.directory, NOW + timedelta(days=61), domain=keys.domain)
    assert later.stale(wanted) == "it nears its end"
    assert keys.__class__(keys.directory, NOW + timedelta(days=59), domain=keys.domain).stale(wanted) == ""


def test_before_a_deploy_the_certificate_is_pending(declared: Declared) -> None:
    found = declared("hdss7-11", "edge", "edge.tls.source=own", made=False)
    file, config = found["HashedFile /etc/ssl/edge/od.com"], found["ConfigSet /etc/nginx"]
    assert isinstance(file, HashedFile)
    assert isinstance(file.content, Pending)
    assert isinstance(config, ConfigSet)
    site = config._contents["conf.d/od.com.conf"].decode()
    assert "ssl_certificate /etc/ssl/edge/od.com/new.pem;" in site
    assert "ssl_reject_handshake on;" in config._contents["conf.d/tls.conf"].decode()


def test_without_tls_nothing_of_it_is_there(declared: Declared) -> None:
    found = declared("hdss7-11", "edge", made=False)["ConfigSet /etc/nginx"]
    assert "conf.d/tls.conf" not in found._contents
    assert "443 ssl" not in found._contents["conf.d/od.com.conf"].decode()


@pytest.mark.parametrize("setting", ["site.api_port=443", "edge.h2c_port=443"])
def test_a_port_that_somebody_else_has_is_refused(declared: Declared, setting: str) -> None:
    assert declared("hdss7-11", "edge", setting, made=False)
    with pytest.raises(InputError, match=r"edge\.tls needs port 443, which another program of the edge has"):
        declared("hdss7-11", "edge", setting, "edge.tls.source=own", made=False)


def test_a_given_certificate_becomes_one_file(lab: Inventory, tmp_path: Path, declared: Declared) -> None:
    chain, key, _ = issued("*.od.com")
    pem = given(lab.host("hdss7-11"), ("edge", "tls"), TlsOfSite(chain, secret(key)), ("*.od.com",), NOW)
    assert x509.load_pem_x509_certificate(pem) == x509.load_pem_x509_certificate(chain.encode())
    inventory = tmp_path / "inventory"
    (inventory / "tls").mkdir(parents=True)
    (inventory / "tls/chain.pem").write_text(chain)
    (inventory / "tls/key.pem").write_text(key)
    tls = {"source": "given", "certificate": "tls/chain.pem", "key": "tls/key.pem"}
    hosts = {
        "edge": {"hosts": {"e1": {"ansible_host": "10.4.7.11"}}},
        "nodes": {"hosts": {"n1": {"ansible_host": "10.4.7.21"}}},
    }
    (inventory / "hosts.yml").write_text(json.dumps({"all": {"vars": {"edge": {"tls": tls}}, "children": hosts}}))
    found = declared("e1", "edge", made=False, inventory=inventory)["HashedFile /etc/ssl/edge/od.com"]
    assert found.payload == pem


def test_what_no_client_would_accept_is_refused(lab: Inventory, tmp_path: Path) -> None:
    chain, key, authority = issued("*.od.com")
    other = issued("*.od.com")[1]
    assert "edge.tls.key does not fit the certificate" in refused(lab, chain, other)
    assert "It is for *.od.com, and not for a.b.od.com" in refused(lab, chain, key, "*.od.com", "a.b.od.com")
    assert "edge.tls.certificate has ended" in refused(lab, chain, key, now=NOW + timedelta(days=91))
    assert "edge.tls.certificate is not valid yet" in refused(lab, chain, key, now=NOW - timedelta(days=1))
    assert "edge.tls.certificate is no chain" in refused(lab, chain + issued("x")[2], key)
    assert "edge.tls.key does not fit" in refused(lab, authority + chain, key)  # the wrong way round
    assert "edge.tls.certificate is missing" in refused(lab, "", key)
    assert "edge.tls.key is missing" in refused(lab, chain, "")
    assert "none-such.pem: No such file" in refused(lab, "none-such.pem", key)
    assert "edge.tls.certificate holds no certificate" in refused(lab, secret(key), key)
    assert "edge.tls.key holds no private key" in refused(lab, chain, chain)


@pytest.mark.parametrize(("bits", "taken"), [(1024, False), (2048, True)])
def test_a_key_that_openssl_would_refuse_is_named(lab: Inventory, bits: int, taken: bool) -> None:
    private = rsa.generate_private_key(65537, bits)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "od.com")])
    names = x509.SubjectAlternativeName([x509.DNSName("*.od.com")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(private.public_key())
    builder = builder.not_valid_before(NOW - timedelta(days=1)).not_valid_after(NOW + timedelta(days=90))
    signed = builder.serial_number(1).add_extension(names, critical=False).sign(private, hashes.SHA256())
    pem = signed.public_bytes(Encoding.PEM).decode()
    key = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    if taken:
        assert given(lab.host("hdss7-11"), ("edge", "tls"), TlsOfSite(pem, secret(key)), ("*.od.com",), NOW)
    else:
        assert "CN=od.com has an RSA key of 1024 bits" in refused(lab, pem, key)


def test_an_authority_that_did_not_issue_the_chain_is_refused(lab: Inventory) -> None:
    chain, _, authority = issued("*.od.com")
    check_issuer(lab.host("hdss7-11"), ("edge", "tls"), chain.encode(), authority)
    check_issuer(lab.host("hdss7-11"), ("edge", "tls"), (chain + authority).encode(), authority)
    for other in (issued("*.od.com")[2], "none-such.pem"):
        with pytest.raises(InputError, match=r"edge\.tls\.authority (did not issue|can't be read)"):
            check_issuer(lab.host("hdss7-11"), ("edge", "tls"), chain.encode(), other)


def test_a_pipe_is_not_waited_for(lab: Inventory, tmp_path: Path) -> None:
    pipe = tmp_path / "certificate.pem"
    os.mkfifo(pipe)
    assert "certificate.pem is no file" in refused(lab, str(pipe), "key.pem")


def test_a_private_key_in_plain_text_is_refused(lab: Inventory) -> None:
    chain, key, _ = issued("*.od.com")
    with pytest.raises(InputError, match=r"edge\.tls\.key is a private key in plain text"):
        given(lab.host("hdss7-11"), ("edge", "tls"), TlsOfSite(chain, key), ("*.od.com",), NOW)


def test_a_given_certificate_is_named_before_it_ends(lab: Inventory) -> None:
    chain, key, _ = issued("*.od.com", now=NOW - timedelta(days=70))
    tls = Tls("given", chain, secret(key))
    (note,) = _edge_tls.notes(lab.host("hdss7-11"), SiteSettings(), tls, {})
    assert note.startswith("note: the certificate for od.com ends on ")
    chain, key, _ = issued("*.od.com")
    assert not [*_edge_tls.notes(lab.host("hdss7-11"), SiteSettings(), Tls("given", chain, secret(key)), {})]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n",
            "PEM of certificate request",
        ),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "PEM of certificate, or damaged"),
        ("key", "PEM of private key"),
    ],
)
def test_what_is_no_certificate_is_called_what_it_is(lab: Inventory, tmp_path: Path, text: str, said: str) -> None:
    pair = TlsOfSite(str(tmp_path / "a.pem"), "")
    (tmp_path / "a.pem").write_text(issued("*.od.com")[1] if text == "key" else text)
    with pytest.raises(InputError, match=said):
        given(lab.host("hdss7-11"), ("edge", "tls"), pair, ("*.od.com",), NOW)


@pytest.mark.parametrize(
    ("key", "kind"),
    [(dsa.generate_private_key(1024), "DSA"), (ec.generate_private_key(ec.SECP224R1()), "secp224r1")],
    ids=("dsa", "p224"),
)
def test_a_key_that_no_browser_takes_is_refused(
    lab: Inventory, key: dsa.DSAPrivateKey | ec.EllipticCurvePrivateKey, kind: str
) -> None:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "od.com")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(hours=1))
        .not_valid_after(NOW + timedelta(days=9))
        .sign(key, hashes.SHA256())
    )
    chain = made.public_bytes(Encoding.PEM).decode()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    assert f"has a key of {kind}" in refused(lab, chain, private)
