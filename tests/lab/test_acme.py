"""The edge's certificate by ACME: a real order at Pebble, proven by a record of the site's own BIND."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.state import Lab
from tests.lab.conftest import ROOT, running
from tests.lab.pebble import MANAGEMENT, OPS, Pebble, pebble
from tests.lab.refusing import refusing
from tests.lab.running import Ended
from tests.lab.typed import Typed

NAME, EDGE = "t-acme", "hdss7-11"
INVENTORY = ROOT / "tests/lab/acme"
LIFE = 90 * 86400
SHOWN = (
    "echo | openssl s_client -connect 10.4.7.11:443 -servername demo.od.com 2>/dev/null "
    "| openssl x509 -noout -issuer -ext subjectAltName"
)


@dataclass(frozen=True)
class Ordering:
    """A site with an edge and nothing behind it, whose certificate Pebble issues. words: what every command gets."""

    site: Typed
    server: Pebble
    words: tuple[str, ...]

    def invoke(self, command: str, *words: str) -> Ended:
        return self.site.invoke(command, "--inventory", str(INVENTORY), *self.words, *words)

    @property
    def folder(self) -> Path:
        return Lab.named(NAME).directory / "pki/edge/acme"

    @property
    def orders(self) -> int:
        """How many the server has seen."""
        return len(re.findall(r"POST /order-plz", self.server.log.read_text()))


@pytest.fixture(scope="module")
def ordering(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ordering]:
    folder = tmp_path_factory.mktemp("pebble")
    with running(NAME, INVENTORY), pebble(NAME, folder, "10.4.7.11:53", LIFE) as server:
        tls = {
            "source": "acme",
            "directory": server.directory,
            "directory_authority": server.authority.read_text(),
            "contact": "ops@od.com",
        }
        said = folder / "tls.json"
        said.write_text(json.dumps({"edge": {"tls": tls}}))
        yield Ordering(Typed(NAME), server, ("--limit", EDGE, "--extra-vars", f"@{said}"))


def test_a_deploy_ends_with_a_certificate_of_the_server(ordering: Ordering) -> None:
    ended = ordering.invoke("deploy", "--json")
    assert ended.code == 0, str(ended) + ordering.server.log.read_text()[-3000:]
    made = [each["resource"] for each in ended.document["hosts"][EDGE]["changes"]]
    assert made.count("HashedFile /etc/ssl/edge/od.com") == 2  # of the edge's own CA, then the server's
    shown = ordering.site.on(EDGE, SHOWN)
    assert "Pebble Intermediate CA" in shown, shown
    assert "DNS:*.od.com" in shown, shown
    assert ordering.orders == 1
    assert ordering.invoke("plan").code == 0


def test_keys_are_private_and_shown_nowhere(ordering: Ordering) -> None:
    modes = {stat.S_IMODE(file.stat().st_mode) for file in ordering.folder.iterdir()}
    assert modes == {0o600}
    assert stat.S_IMODE(ordering.folder.stat().st_mode) == 0o700
    secret = (ordering.folder / "od.com.pem").read_text().split("\n")[2]
    planned = ordering.invoke("plan", "--diff", "--verbose")
    assert secret not in planned.output + planned.errors
    found = ordering.site.on(EDGE, f"grep -rlF -- {secret} /etc /root /var /tmp 2>/dev/null || :").split()
    assert found
    assert all(file.startswith("/etc/ssl/edge/od.com/") for file in found), found


def test_no_proof_is_left_in_the_zone(ordering: Ordering) -> None:
    assert ordering.site.on(EDGE, "dig +short TXT _acme-challenge.od.com @127.0.0.1") == "_acme.od.com."
    assert ordering.site.on(OPS, f"curl -sk https://127.0.0.1:{MANAGEMENT}/roots/0").startswith("-----BEGIN")


def test_what_is_not_due_is_not_ordered(ordering: Ordering) -> None:
    assert ordering.invoke("deploy").code == 0
    renewed = ordering.invoke("certs.renew")
    assert renewed.code == 0, str(renewed)
    assert "acme: *.od.com: not due" in renewed.output, str(renewed)
    assert ordering.orders == 1


def test_what_another_controller_has_ordered_is_taken_over(ordering: Ordering) -> None:
    file = ordering.folder / "od.com.pem"
    before = file.read_bytes()
    file.unlink()
    renewed = ordering.invoke("certs.renew")
    assert renewed.code == 0, str(renewed)
    assert f"taken over from {EDGE}" in renewed.output, str(renewed)
    assert file.read_bytes() == before
    assert ordering.orders == 1
    assert ordering.invoke("plan").code == 0


def test_a_server_that_limits_is_not_asked_again(ordering: Ordering) -> None:
    shown = ordering.site.on(EDGE, SHOWN)
    with refusing(
        "newOrder", 429, "rateLimited", "too many certificates for od.com", {"Retry-After": "7200"}
    ) as server:
        directory = ("--extra-vars", f"edge.tls.directory={server.directory}")
        first = ordering.invoke("certs.renew", *directory)
        asked = len(server.asked)
        again = ordering.invoke("deploy", *directory)
        assert len(server.asked) == asked
    assert first.code == again.code == 1, f"{first}\n{again}"
    paragraph = first.errors.strip()
    assert "\n" not in paragraph, paragraph
    assert "rateLimited: too many certificates for od.com. The site keeps the certificate that it has." in paragraph
    assert re.search(r"try again from \d{4}-\d\d-\d\d \d\d:\d\d UTC on: invoke certs\.renew", paragraph), paragraph
    assert "It was not asked again: the last time it said rateLimited" in again.errors, str(again)
    assert server.asked.count("/newOrder") == 1
    assert ordering.site.on(EDGE, SHOWN) == shown
    assert ordering.invoke("plan").code == 0


def test_a_server_that_refuses_the_account_says_why(ordering: Ordering) -> None:
    with refusing("newAccount", 403, "unauthorized", "this account is closed") as server:
        refused = ordering.invoke("certs.renew", "--extra-vars", f"edge.tls.directory={server.directory}")
    assert refused.code == 1, str(refused)
    assert "unauthorized: this account is closed" in refused.errors, str(refused)
    assert "\n" not in refused.errors.strip()
    assert "/newOrder" not in server.asked


def test_a_name_with_more_labels_is_ordered_once_it_is_declared(ordering: Ordering) -> None:
    deeper = ("--extra-vars", json.dumps({"edge": {"sites": {"a.shop": {"tls": {"hsts": 60}}}}}))
    ended = ordering.invoke("deploy", *deeper)
    assert ended.code == 0, str(ended)
    assert "it is not for a.shop.od.com: issued by" in ended.output, str(ended)
    shown = ordering.site.on(EDGE, SHOWN)
    assert "DNS:a.shop.od.com" in shown, shown
    assert ordering.orders == 2
    listed = ordering.invoke("certs", *deeper)
    assert listed.code == 0, str(listed)
    assert re.search(rf"{EDGE} +/etc/ssl/edge/od\.com/", listed.output), str(listed)


def test_names_that_are_not_deployed_are_not_ordered(ordering: Ordering) -> None:
    (ordering.folder / "od.com.pem").unlink()
    ordering.site.on(EDGE, "rm /etc/ssl/edge/od.com/*.pem")
    missing = ("--extra-vars", json.dumps({"edge": {"sites": {"b.shop": {"tls": {"hsts": 60}}}}}))
    refused = ordering.invoke("certs.renew", *missing)
    assert refused.code == 1, str(refused)
    assert "_acme-challenge.b.shop.od.com does not lead to b.shop._acme.od.com" in refused.errors, str(refused)
    assert not re.search(r"Pulled a task|POST /chalZ", ordering.server.log.read_text().rpartition("order-plz")[2])
