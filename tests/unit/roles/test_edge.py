"""The edge's nginx: each trap of the course's configuration, mended: docs/differences-from-the-course.md."""

from __future__ import annotations

import pytest

from provision.inventory import Inventory
from provision.inventory.settings import SITE
from provision.playbook.plays import Play, RoleUse
from provision.playbook.roles import Roles
from provision.resources import ConfigSet
from provision.search_path import SearchPath
from tests.unit.conftest import ROOT, Declared


def files(declared: Declared, *extra: str) -> dict[str, str]:
    found = declared("hdss7-11", "edge", *extra, made=False)["ConfigSet /etc/nginx"]
    assert isinstance(found, ConfigSet)
    return {name: content.decode() for name, content in found._contents.items()}


def test_every_node_is_asked_at_traefiks_port(declared: Declared) -> None:
    main = files(declared)["nginx.conf"]
    for node in ("10.4.7.21", "10.4.7.22"):
        assert f"    server {node}:81 max_fails=3 fail_timeout=10s;\n" in main
        assert f"    server {node}:81 max_fails=0;\n" in main
    assert "server 10.4.7.21:8081 " in files(declared, "site.traefik_port=8081")["nginx.conf"]


@pytest.mark.parametrize(
    "line",
    [
        "proxy_http_version 1.1;",  # HTTP/1.0 upstream: no keepalive, no WebSocket
        "proxy_set_header Upgrade $http_upgrade;",
        "proxy_set_header Connection $connection_upgrade;",
        "'' '';",  # an empty Connection keeps the one to the node open
        "proxy_set_header Host $host$colon_port;",  # not $http_host: empty, or another than the one asked for
        "proxy_set_header X-Forwarded-For $remote_addr;",  # never what the client wrote
        "proxy_set_header X-Forwarded-Proto $forwarded_proto;",
        'proxy_set_header Forwarded "";',
        "proxy_connect_timeout 2s;",  # not a minute of a dead node
        "proxy_next_upstream error timeout;",
        "client_max_body_size 100m;",  # not 413 over 1 MB
        "keepalive 32;",
        "listen 80 default_server;",  # or the only server takes every name
    ],
)
def test_a_trap_of_the_course_is_mended(declared: Declared, line: str) -> None:
    assert line in files(declared)["conf.d/od.com.conf"]


def test_a_long_name_cannot_keep_nginx_from_starting(declared: Declared) -> None:
    assert "server_names_hash_bucket_size 128;" in files(declared)["nginx.conf"]


def test_includes_are_relative_so_a_copy_can_be_tested(declared: Declared) -> None:
    main = files(declared)["nginx.conf"]
    includes = [line.split()[1] for line in main.splitlines() if line.strip().startswith("include ")]
    assert includes
    assert not any(path.startswith("/") for path in includes)
    assert not any("sites-enabled" in path for path in includes)


def test_the_api_is_reached_through_every_master(declared: Declared) -> None:
    main = files(declared)["nginx.conf"]
    assert "listen 7443;" in main
    assert "server 10.4.7.21:6443 " in main
    assert "server 10.4.7.22:6443 " in main


def test_the_file_bears_the_sites_own_domain(declared: Declared) -> None:
    site = files(declared, "site.domain=example.org")["conf.d/example.org.conf"]
    assert "server_name *.example.org;" in site


def test_a_plays_confirm_is_that_of_each_of_its_sets() -> None:
    roles = Roles(SearchPath.of(ROOT))
    inventory = Inventory.load([ROOT / "inventory/lab"], namespaces=frozenset((*roles.names(), SITE)))
    play = Play("edge", "edge", (RoleUse("edge"),), confirm=30.0)
    declared = roles.declare(inventory.host("hdss7-11"), (play,))
    assert [d.resource.confirm for d in declared if isinstance(d.resource, ConfigSet)] == [30.0]


def test_the_running_set_is_served_on_loopback_only(declared: Declared) -> None:
    found = declared("hdss7-11", "edge", made=False)["ConfigSet /etc/nginx"]
    assert "    include site/release.conf;" in files(declared)["nginx.conf"]
    assert found.activation.completes("release.conf")
    assert found.activation.answer.startswith("127.")
