"""Names that ask for a password or know networks: what the edge says of them, and who reaches nodes past it."""

from __future__ import annotations

import json
from pathlib import Path

import bcrypt
import pytest

from provision.errors import InputError
from provision.inventory import Inventory
from provision.inventory.settings import SITE
from provision.playbook.roles import Roles
from provision.resources import ConfigSet, HashedFile
from provision.search_path import SearchPath
from provision.secret import secret
from roles import _edge_nginx, _htpasswd
from roles._edge_sites import SiteOfEdge, Tls, served_names
from roles._site import SiteSettings
from tests.unit.conftest import ROOT, Declared

CLOSED = json.dumps(
    {"edge": {"sites": {"demo": {"networks": ["10.9.0.0/16"]}, "traefik": {"networks": ["10.4.7.0/24"]}}}}
)
SCRIPT = "File /usr/local/sbin/traefik-port"


@pytest.fixture
def lab(facts: Path) -> Inventory:
    """The lab's inventory."""
    roles = Roles(SearchPath.of(ROOT))
    return Inventory.load([ROOT / "inventory/lab", facts], namespaces=frozenset((*roles.names(), SITE)))


def hashes(lab: Inventory, users: dict[str, str]) -> HashedFile:
    sites = {"traefik": SiteOfEdge(users=users)}
    return _htpasswd.files(lab.hosts[0], SiteSettings(), sites, _edge_nginx.users)["traefik.od.com"]


def test_passwords_are_hashed_the_same_each_time(lab: Inventory) -> None:
    found = hashes(lab, {"ann": secret("very good"), "bob": secret("very good")})
    assert found == hashes(lab, {"ann": secret("very good"), "bob": secret("very good")})
    ann, bob = (line.partition(b":")[2] for line in found.payload.splitlines())
    assert ann.startswith(b"$2b$05$")
    assert ann != bob  # a salt is everybody's own
    assert bcrypt.checkpw(b"very good", ann)
    assert not bcrypt.checkpw(b"very bad", ann)
    assert (found.mode, found.group) == ("0640", "www-data")


def test_a_password_in_plain_text_is_refused(lab: Inventory) -> None:
    with pytest.raises(InputError, match=r"edge\.sites\.traefik\.users\.ann is a password in plain text") as refused:
        hashes(lab, {"ann": "very good"})
    assert "very good" not in str(refused.value)


def test_a_password_that_bcrypt_would_cut_is_refused(lab: Inventory) -> None:
    with pytest.raises(InputError, match="bcrypt knows 72 bytes"):
        hashes(lab, {"ann": secret("ä" * 37)})


def test_only_names_that_are_asked_in_a_roll_tell_their_health(lab: Inventory) -> None:
    sites = {name: SiteOfEdge(networks=("10.4.7.0/24",)) for name in ("traefik", "wiki")}
    names = {each.name: each for each in served_names(lab.host("hdss7-11"), SiteSettings(), Tls(), sites)}
    assert names["traefik.od.com"].health == "/dashboard/"
    assert names["wiki.od.com"].health == ""
    assert names["*.od.com"].health == ""


def test_networks_are_the_only_ones_that_come_in(declared: Declared) -> None:
    found = declared("hdss7-11", "edge", CLOSED, made=False)["ConfigSet /etc/nginx"]
    assert isinstance(found, ConfigSet)
    site = found._contents["conf.d/od.com.conf"].decode()
    assert "    allow 10.9.0.0/16;\n    deny all;\n" in site
    assert "proxy_pass http://default_backend_traefik/dashboard/;" in site
    assert "auth_basic_user_file" not in site


def test_nodes_take_the_edges_requests_alone_once_a_name_is_closed(declared: Declared) -> None:
    script = declared("hdss7-21", "traefik_port", CLOSED, made=False)[SCRIPT].content.decode()
    assert "--dport 81 " in script
    assert "-A TRAEFIK-PORT -s 10.4.7.11/32 -j RETURN\n-A TRAEFIK-PORT -j DROP" in script


def test_nothing_of_that_is_left_when_every_name_is_open(declared: Declared) -> None:
    found = declared("hdss7-21", "traefik_port", made=False)
    assert found[SCRIPT].absent
    opened = found["Command open Traefik's port"]
    assert opened.unless.startswith("! iptables -w -t raw -S TRAEFIK-PORT")
    assert "-X TRAEFIK-PORT" in opened.run


@pytest.mark.parametrize(("role", "key"), [("traefik", "Rollout DaemonSet kube-system/traefik-ingress"),
                                           ("nginx_ds", "Rollout DaemonSet default/nginx-ds")])  # fmt: skip
def test_pods_are_awaited_at_the_nodes_that_can_be_asked(declared: Declared, role: str, key: str) -> None:
    open_, closed = declared("hdss7-21", role)[key].ready, declared("hdss7-21", role, CLOSED)[key].ready
    assert "http://10.4.7.21:81/" in open_
    assert "http://10.4.7.22:81/" in open_
    assert "http://10.4.7.21:81/" in closed
    assert "http://10.4.7.22:81/" not in closed  # it takes the edge's requests alone
