"""TLS at the edge: turned on, renewed, given by a person, while clients ask; and a private key that nobody sees."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.network import dial_in
from lab.state import Lab
from provision.traffic.probe import Prober, Target
from provision.traffic.receipt import Receipt
from tests.lab.clients import EDGE, TARGETS, await_answered, dialer, unharmed
from tests.lab.running import Ended
from tests.lab.typed import Typed, deployed_site

NAME = "t-tls"
OWN = ("--extra-vars", "edge.tls.source=own")
BOTH = (*OWN, "--extra-vars", "edge.tls.redirect=false")
SECURE = tuple(Target(each.url.replace("http:", "https:"), EDGE, 443, method=each.method) for each in TARGETS)


@pytest.fixture(scope="module")
def site() -> Iterator[Typed]:
    """A site of its own, deployed without TLS."""
    with deployed_site(Typed(NAME)) as made:
        await_answered(NAME)
        yield made


def keys() -> Path:
    """The folder of the edge's own CA."""
    return next(Lab.named(NAME).directory.rglob("ca-od.com.pem")).parent


def changed(site: Typed, targets: tuple[Target, ...], *words: str) -> tuple[Ended, Receipt]:
    """A deploy with clients asking."""
    with Prober(targets, dialer(NAME), rate=45, clients=8) as prober:
        ended = site.invoke("deploy", *words)
        receipt = prober.receipt()
    assert ended.code == 0, str(ended)
    return ended, receipt


def shown(name: str = "traefik.od.com") -> bytes:
    """The certificate that a client sees who trusts the edge's own CA."""
    context = ssl.create_default_context(cafile=str(keys() / "ca-od.com.pem"))
    with context.wrap_socket(dial_in(Lab.named(NAME), EDGE, 443, 10.0), server_hostname=name) as secure:
        return secure.getpeercert(binary_form=True) or b""


@pytest.mark.core
def test_tls_is_turned_on_without_a_failed_request(site: Typed) -> None:
    planned = site.invoke("plan", *BOTH)
    assert planned.code == 2, str(planned)
    _, receipt = changed(site, TARGETS, *BOTH)
    assert unharmed(receipt), receipt
    _, receipt = changed(site, SECURE, *OWN)  # from now on http leads to https
    assert unharmed(receipt), receipt
    assert site.invoke("plan", *OWN).code == 0


@pytest.mark.core
def test_verify_passes_with_tls(site: Typed) -> None:
    verified = site.invoke("verify", *OWN)
    assert verified.code == 0, str(verified)
    assert site.on("hdss7-11", "curl -s -o /dev/null -w '%{http_code} %{redirect_url}' -H 'Host: demo.od.com' "
                               "http://10.4.7.11/x") == "308 https://demo.od.com/x"  # fmt: skip


def test_nodes_roll_with_tls(site: Typed) -> None:
    ended, receipt = changed(site, SECURE, *OWN, "--extra-vars", "traefik.log_level=WARN")
    assert unharmed(receipt), receipt
    assert re.search(r"[1-9]\d* requests.*\b0 failed", ended.output), str(ended)
    assert "not asked" not in ended.output, str(ended)


def test_a_renewed_certificate_is_a_reload(site: Typed) -> None:
    before = shown()
    for _ in range(3):
        (keys() / "od.com.pem").unlink()
        ended, receipt = changed(site, SECURE, *OWN)
        assert unharmed(receipt), receipt
        assert "/etc/ssl/edge/od.com" in ended.output, str(ended)
    assert shown() != before
    assert site.on("hdss7-11", "ls /etc/ssl/edge/od.com | wc -l") == "3"
    assert site.invoke("plan", *OWN).code == 0


def test_nobody_sees_the_private_key(site: Typed) -> None:
    secret = (keys() / "od.com-key.pem").read_text().splitlines()[1]
    found = site.on("hdss7-11", f"grep -rlF -- {secret} /etc /root /var /tmp /run 2>/dev/null || :").split()
    assert found
    assert all(file.startswith("/etc/ssl/edge/od.com/") for file in found), found
    planned = site.invoke("plan", *OWN, "--diff", "--verbose")
    assert secret not in planned.output + planned.errors


def test_certs_lists_them(site: Typed) -> None:
    listed = site.invoke("certs", *OWN)
    assert listed.code == 0, str(listed)
    assert re.search(r"edge CA of od\.com +controller ", listed.output), str(listed)
    assert re.search(r"edge of od\.com +hdss7-11 +/etc/ssl/edge/od\.com/", listed.output), str(listed)
