"""HAProxy's certificates and closed names: what its files have to say so that docs/tls.md holds for it too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bcrypt
import pytest

from provision.inventory import Inventory
from provision.inventory.settings import SITE
from provision.inventory.vault import Password, Vault
from provision.playbook.plays import Play, RoleUse
from provision.playbook.roles import Roles
from provision.resources import ConfigSet, HashedFile
from provision.search_path import SearchPath
from tests.unit.conftest import ROOT, Declared
from tests.unit.roles.test_edge_haproxy import file
from tests.unit.vaults import value

SAID = """
all:
  vars:
    edge:
      program: haproxy
      tls: {source: own}
      sites:
        "*.lab": {protocol: h2c}
        a.lab: {tls: {redirect: false}}
        shop.lab: {tls: {hsts: 60}}
        demo: {networks: [10.9.0.0/16, 10.4.7.21]}
        traefik:
          users:
            ann: %s
"""
FITS = "{ var(txn.name) -m str %s }"


@pytest.fixture
def found(facts: Path, tmp_path: Path) -> dict[str, Any]:
    """What role edge declares for an edge that has all of it."""
    said = tmp_path / "said.yml"
    said.write_text(SAID % value("very good").replace("\n          ", "\n                "))
    roles = Roles(SearchPath.of(ROOT))
    known = Inventory.load(
        [ROOT / "inventory/lab", said, facts],
        namespaces=frozenset((*roles.names(), SITE)),
        vault=Vault([Password("default", "a file", lambda: b"pass")]),
    )
    plays = (Play("edge", "edge", (RoleUse("edge"),), line="site.yml:1"),)
    roles.prepare(known, plays)
    return {d.resource.key: d.resource for d in roles.declare(known.host("hdss7-11"), plays)}


@pytest.fixture
def files(found: dict[str, Any]) -> dict[str, str]:
    """The files of its set."""
    config = found["ConfigSet /etc/haproxy"]
    assert isinstance(config, ConfigSet)
    return {name: content.decode() for name, content in config._contents.items()}


def test_a_certificate_is_shown_for_names_of_the_site_alone(found: dict[str, Any], files: dict[str, str]) -> None:
    certificate = found["HashedFile /etc/ssl/edge/od.com"].target
    _, shown = files["certificates.list"].splitlines()
    assert shown.split() == [certificate, "*.od.com", "*.lab.od.com", "a.lab.od.com", "shop.lab.od.com"]
    assert "    bind *:443 ssl crt-list site/certificates.list strict-sni alpn h2,http/1.1 " in files["haproxy.cfg"]
    assert "    ssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets " in files["haproxy.cfg"]


def test_the_most_specific_name_is_looked_for_last(files: dict[str, str]) -> None:
    lines = [line for line in files["haproxy.cfg"].splitlines() if "set-var(txn.name)" in line]
    assert [line.split("str(")[1].split(")")[0] for line in lines] == [
        "*.od.com",
        "*.lab.od.com",
        "demo.od.com",
        "a.lab.od.com",
        "traefik.od.com",
        "shop.lab.od.com",
    ]
    assert lines[1].endswith("{ var(txn.asked) -m end .lab.od.com }")
    assert lines[3].endswith("{ var(txn.asked) -m str a.lab.od.com }")


def test_http_leads_to_https_where_that_is_set(files: dict[str, str]) -> None:
    (line,) = (line for line in files["haproxy.cfg"].splitlines() if "http-request redirect" in line)
    assert "location https://%[var(txn.asked)]%[pathq] code 308 if { dst_port 80 }" in line
    assert line.endswith(FITS % "*.od.com *.lab.od.com demo.od.com traefik.od.com shop.lab.od.com")
    assert f"max-age=60 if {{ var(txn.proto) -m str https }} {FITS % 'shop.lab.od.com'}\n" in files["haproxy.cfg"]


def test_users_are_in_a_file_that_nobody_else_reads(found: dict[str, Any], files: dict[str, str]) -> None:
    users = found["HashedFile /etc/edge-users/traefik.od.com"]
    assert isinstance(users, HashedFile)
    assert (users.mode, users.owner, users.group) == ("0600", "root", "root")
    assert users.target.endswith(".cfg")  # HAProxy reads no other file of a folder
    assert files["users.list"] == f"{users.target}\n"
    head, line = users.payload.decode().splitlines()
    assert head == "userlist traefik.od.com"
    *before, hashed = line.split()
    assert before == ["user", "ann", "password"]
    assert bcrypt.checkpw(b"very good", hashed.encode())
    assert not any(hashed in content for content in files.values())
    drop_in = found["File /etc/systemd/system/haproxy.service.d/users.conf"]
    assert "-f /etc/haproxy/site/users.d" in drop_in.payload.decode()


def test_a_name_with_users_asks_for_a_password(files: dict[str, str]) -> None:
    asks = f"auth realm traefik.od.com if {FITS % 'traefik.od.com'} !{{ http_auth(traefik.od.com) }}"
    assert f"    http-request {asks} !{{ var(txn.health) -m bool }}\n" in files["haproxy.cfg"]
    assert "    http-request del-header Authorization if asks_password " in files["haproxy.cfg"]
    assert "\nbackend passwords " in files["haproxy.cfg"]


def test_a_name_with_networks_refuses_everybody_else(files: dict[str, str]) -> None:
    refuses = f"deny status 403 default-errorfiles if {FITS % 'demo.od.com'} !{{ src 10.9.0.0/16 10.4.7.21 }}"
    assert f"    http-request {refuses}" in files["haproxy.cfg"]


def test_without_tls_and_users_nothing_of_them_is_there(declared: Declared) -> None:
    found = file(declared)
    for word in ("ssl-default", ":443", "redirect", "http_auth", "passwords", "edge-health", "Strict-Transport"):
        assert word not in found
