"""TLS at the edge: turned on, renewed, given by a person, while clients ask; and a private key that nobody sees."""

from __future__ import annotations

import json
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509

from lab.network import dial_in
from lab.state import Lab
from roles._x509 import Authority, Certificate
from tests.lab.clients import EDGE, TARGETS, unharmed
from tests.lab.conftest import LAB_INVENTORY
from tests.lab.faults.testbed import await_none
from tests.lab.pebble import pebble
from tests.lab.tls_site import (
    BOTH,
    CLOSED,
    GIVEN,
    GUESSED,
    LEADS,
    NAME,
    ON,
    OWN,
    RENEWED,
    ROLL,
    SECURE,
    TlsSite,
    asking,
    changed,
    keys,
    receipts,
    shown,
)
from tests.unit.vaults import value

LIFE = 240  # seconds: what an order takes on a busy machine fits into a third
PASSWORD = "correct horse battery staple"
USERS = """
edge:
  tls: {source: own}
  sites:
    demo: {networks: [10.4.7.21/32]}
    traefik:
      users:
        ann: %s
"""


@pytest.fixture(scope="module")
def site(tls: TlsSite) -> TlsSite:
    """It begins without TLS, with nginx."""
    return tls


@pytest.mark.core
def test_tls_is_turned_on_without_a_failed_request(site: TlsSite) -> None:
    planned = site.invoke("plan", *BOTH)
    assert planned.code == 2, str(planned)
    _, receipt = changed(site, TARGETS, *BOTH)
    site.note(ON, receipt, "they asked by http", "invoke deploy, edge.tls: {source: own, redirect: false}")
    assert unharmed(receipt), receipt
    _, receipt = changed(site, SECURE, *OWN)  # from now on http leads to https
    site.note(LEADS, receipt, "they asked by https", "invoke deploy, edge.tls: {source: own}")
    assert unharmed(receipt), receipt
    assert site.invoke("plan", *OWN).code == 0


@pytest.mark.core
def test_verify_passes_with_tls(site: TlsSite) -> None:
    verified = site.invoke("verify", *OWN)
    assert verified.code == 0, str(verified)
    assert site.on("hdss7-11", "curl -s -o /dev/null -w '%{http_code} %{redirect_url}' -H 'Host: demo.od.com' "
                               "http://10.4.7.11/x") == "308 https://demo.od.com/x"  # fmt: skip


def test_nodes_roll_with_tls(site: TlsSite) -> None:
    ended, receipt = changed(site, SECURE, *OWN, "--extra-vars", "traefik.log_level=WARN")
    site.note(ROLL, receipt, f"the run's own: {receipts(ended)}", "invoke deploy, traefik.log_level: WARN")
    assert unharmed(receipt), receipt
    assert re.search(r"[1-9]\d* requests.*\b0 failed", ended.output), str(ended)
    assert "not asked" not in ended.output, str(ended)


def test_a_renewed_certificate_is_a_reload(site: TlsSite) -> None:
    before = shown(keys() / "ca-od.com.pem")
    for _ in range(3):
        (keys() / "od.com.pem").unlink()
        ended, receipt = changed(site, SECURE, *OWN)
        site.note(
            RENEWED, receipt, "a reload of nginx; the last three files are kept", "invoke deploy, in the last third"
        )
        assert unharmed(receipt), receipt
        assert "/etc/ssl/edge/od.com" in ended.output, str(ended)
    assert shown(keys() / "ca-od.com.pem") != before
    assert site.on("hdss7-11", "ls /etc/ssl/edge/od.com | wc -l") == "3"
    assert site.invoke("plan", *OWN).code == 0


def test_nobody_sees_the_private_key(site: TlsSite) -> None:
    secret = (keys() / "od.com-key.pem").read_text().splitlines()[1]
    found = site.on("hdss7-11", f"grep -rlF -- {secret} /etc /root /var /tmp /run 2>/dev/null || :").split()
    assert found
    assert all(file.startswith("/etc/ssl/edge/od.com/") for file in found), found
    planned = site.invoke("plan", *OWN, "--diff", "--verbose")
    assert secret not in planned.output + planned.errors


def test_lab_open_asks_by_https(site: TlsSite) -> None:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        port, proxy = str(one.getsockname()[1]), str(other.getsockname()[1])
    opened = site.start("lab.open", "--port", port, "--proxy-port", proxy)
    try:
        ask = ("--silent", "--retry", "30", "--retry-delay", "1", "--retry-connrefused", "--max-time", "60")
        page = subprocess.run(
            ["curl", *ask, f"http://127.0.0.1:{port}/dashboard/"], capture_output=True, text=True, check=False
        )
        assert "<title>Traefik" in page.stdout, page
    finally:
        opened.process.terminate()


def test_certs_lists_them(site: TlsSite) -> None:
    listed = site.invoke("certs", *OWN)
    assert listed.code == 0, str(listed)
    assert re.search(r"edge CA of od\.com +controller ", listed.output), str(listed)
    assert re.search(r"edge of od\.com +hdss7-11 +/etc/ssl/edge/od\.com/", listed.output), str(listed)


@pytest.fixture(scope="module")
def ordered(site: TlsSite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, ...]]:
    """The words that get the certificate of this site from Pebble, for a life of minutes."""
    folder = tmp_path_factory.mktemp("pebble")
    with pebble(NAME, folder, f"{EDGE}:53", LIFE) as server:
        tls = {
            "source": "acme",
            "directory": server.directory,
            "directory_authority": server.authority.read_text(),
            "contact": "ops@od.com",
        }
        said = folder / "tls.json"
        # Pebble asks as a stub resolver does, and follows no name by itself
        said.write_text(json.dumps({"edge": {"tls": tls}, "bind": {"recursion": True, "dnssec": False}}))
        yield ("--extra-vars", f"@{said}")


def test_an_acme_certificate_is_renewed_in_its_last_third(site: TlsSite, ordered: tuple[str, ...]) -> None:
    _, receipt = changed(site, SECURE, *ordered)
    assert unharmed(receipt), receipt
    first = x509.load_pem_x509_certificate(kept().read_bytes())
    assert site.invoke("plan", *ordered).code == 0

    def early() -> str:
        left = first.not_valid_after_utc - datetime.now(UTC)
        return "" if left.total_seconds() < LIFE / 3 else f"{left} are left"

    await_none(early, LIFE, "the last third of the certificate")
    ended, receipt = changed(site, SECURE, *ordered, command="certs.renew")
    print(f"certs.renew with a full site: {receipt}; {ended.output.splitlines()[0]}")
    assert unharmed(receipt), receipt
    assert "it nears its end: issued by" in ended.output, str(ended)
    second = x509.load_pem_x509_certificate(kept().read_bytes())
    assert second.serial_number != first.serial_number
    assert served() == second


def kept() -> Path:
    """The certificate that ACME has brought."""
    return keys() / "acme/od.com.pem"


def served() -> x509.Certificate:
    """The certificate that the edge shows."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with context.wrap_socket(dial_in(Lab.named(NAME), EDGE, 443, 10.0), server_hostname="demo.od.com") as secure:
        return x509.load_der_x509_certificate(secure.getpeercert(binary_form=True) or b"")


def given(folder: Path) -> Path:
    """The lab's inventory with certificates for the domain and for a name, of a CA that the system does not know."""
    inventory, now = folder / "inventory", datetime.now(UTC)
    shutil.copytree(LAB_INVENTORY, inventory)
    (inventory / "tls").mkdir()
    authority = Authority.new("somebody's CA", now)
    for name, of in (("domain", "*.od.com"), ("nginx", "nginx.od.com")):
        key, certificate = authority.issue(Certificate(of, of, names=(of,), server=True, client=False), now, 90)
        (inventory / f"tls/{name}.pem").write_bytes(certificate)
        (inventory / f"tls/{name}-key.pem").write_bytes(key)
    (inventory / "tls/ca.pem").write_bytes(authority.pem[1])
    said = {
        "tls": {"source": "given", "authority": "tls/ca.pem", **_pair("domain")},
        "sites": {"nginx": {"tls": {**_pair("nginx"), "hsts": 60}}},
    }
    (inventory / "group_vars/all/edge.yml").write_text(json.dumps({"edge": said}))
    return inventory


def _pair(name: str) -> dict[str, str]:
    return {"certificate": f"tls/{name}.pem", "key": f"tls/{name}-key.pem"}


def test_given_certificates_take_over(site: TlsSite, tmp_path: Path) -> None:
    inventory = given(tmp_path)
    _, receipt = changed(site, SECURE, "--inventory", str(inventory))
    site.note(GIVEN, receipt, "one for the domain, one for a name", "invoke deploy, edge.tls: {source: given, …}")
    assert unharmed(receipt), receipt
    verified = site.invoke("verify", "--inventory", str(inventory))
    assert verified.code == 0, str(verified)
    headers = site.on("hdss7-22", "curl -skI --connect-to ::10.4.7.11: https://nginx.od.com/")
    assert "strict-transport-security: max-age=60" in headers, headers
    (inventory / "tls/nginx-key.pem").write_bytes((inventory / "tls/domain-key.pem").read_bytes())
    refused = site.invoke("lint", "--inventory", str(inventory))
    assert refused.code == 4, str(refused)
    assert "edge.sites.nginx.tls.key does not fit the certificate" in refused.errors + refused.output, str(refused)


def closing(folder: Path) -> tuple[str, ...]:
    """The words that close two names: one asks for a password, one knows a network."""
    (folder / "users.yml").write_text(USERS % value(PASSWORD))
    (folder / "password").write_text("pass\n")
    return ("--extra-vars", f"@{folder / 'users.yml'}", "--vault-password-file", str(folder / "password"))


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """These words, for a password that only the vault has."""
    return closing(tmp_path_factory.mktemp("closed"))


@pytest.mark.core
def test_names_are_closed_without_a_failed_request(site: TlsSite, closed: tuple[str, ...]) -> None:
    ended, receipt = changed(site, SECURE[2:], *closed)
    site.note(
        CLOSED, receipt, f"of another name; the run's own: {receipts(ended)}", "invoke deploy, edge.sites.traefik.users"
    )
    assert unharmed(receipt), receipt
    assert PASSWORD not in ended.output + ended.errors
    verified = site.invoke("verify", *closed)
    assert verified.code == 0, str(verified)
    assert re.search(r"= traefik_port +nobody but the edges", verified.output), str(verified)
    assert re.search(r"= edge +a name with users asks", verified.output), str(verified)


def asked(site: TlsSite, origin: str, *words: str) -> str:
    """The status that curl gets on a host."""
    given = " ".join(f"'{word}'" for word in words)
    return site.on(origin, f"curl -sk -m 3 -o /dev/null -w '%{{http_code}}' --connect-to ::10.4.7.11: {given} || :")


def test_who_may_come_in_does_and_nobody_else(site: TlsSite) -> None:
    dashboard = "https://traefik.od.com/dashboard/"
    assert asked(site, "hdss7-22", dashboard) == "401"
    assert asked(site, "hdss7-22", "-u", "ann:wrong", dashboard) == "401"
    assert asked(site, "hdss7-22", "-u", f"ann:{PASSWORD}", dashboard) == "200"
    assert asked(site, "hdss7-22", "https://demo.od.com/") == "403"
    assert asked(site, "hdss7-21", "https://demo.od.com/") == "200"
    past = "curl -s -m 2 -o /dev/null -w '%{http_code}' -H 'Host: traefik.od.com' http://10.4.7.21:81/dashboard/ || :"
    assert site.on("hdss7-22", past) == "000"
    assert site.on("hdss7-11", past) == "200"
    assert site.on("hdss7-21", past) == "200"


def test_wrong_passwords_harm_nobody(site: TlsSite) -> None:
    each = "url=https://traefik.od.com/x\\noutput=/dev/null\\n"
    curl = "curl -skK - --rate 50/s -u ann:wrong --connect-to ::10.4.7.11: -w '%{http_code}\\n'"
    guess = f"for i in $(seq 400); do printf '{each}'; done | {curl} | sort | uniq -c"
    with asking(*SECURE[2:]) as prober:
        statuses = site.on("hdss7-22", guess)
        receipt = prober.receipt()
    site.note(GUESSED, receipt, "of another name; the guesses got 401", "")
    assert unharmed(receipt), receipt
    assert statuses.split() == ["400", "401"], statuses


def test_the_password_is_nowhere_on_the_hosts(site: TlsSite) -> None:
    for host in ("hdss7-11", "hdss7-21"):
        assert site.on(host, f"grep -rlF '{PASSWORD}' /etc /root /var /tmp /run 2>/dev/null || :") == ""


def test_names_are_opened_again(site: TlsSite) -> None:
    _, receipt = changed(site, SECURE[2:], *OWN)
    assert unharmed(receipt), receipt
    assert "TRAEFIK" not in site.on("hdss7-21", "iptables -t raw -S")
    assert site.invoke("plan", *OWN).code == 0
