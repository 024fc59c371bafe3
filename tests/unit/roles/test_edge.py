"""The edge's nginx: each trap of the course's configuration, mended: docs/differences-from-the-course.md."""

from __future__ import annotations

import pytest

from provision.errors import InputError
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


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("conf.d/od.com.conf", "server 127.0.0.2:1081 max_fails=0;"),  # nothing that an application does counts
        ("conf.d/od.com.conf", "proxy_buffer_size 69632;"),  # 64 KB of an answer's header
        ("nginx.conf", "large_client_header_buffers 4 32k;"),
        ("nginx.conf", "worker_rlimit_nofile 16640;"),  # systemd's 1024 end at 250 clients
        ("nginx.conf", "server 127.0.0.2:1082 backup max_fails=0;"),  # not 502 while the only node is left out
        ("nginx.conf", "worker_shutdown_timeout 10m;"),
        ("nginx.conf", "trace=$http_x_hdss7_trace"),
    ],
)
def test_no_site_can_break_another(declared: Declared, file: str, line: str) -> None:
    assert line in files(declared)[file]


def test_the_http_part_knows_no_node(declared: Declared) -> None:
    assert "10.4.7.2" not in files(declared)["conf.d/od.com.conf"]


def test_the_apis_port_is_the_first_that_is_listened_on(declared: Declared) -> None:
    # what is fixed in a cluster is looked up there: roles/_fixed.py
    main = files(declared)["nginx.conf"]
    assert main.index("listen 7443;") < main.index("listen 127.0.0.2:1081")


def test_only_trusted_senders_are_believed(declared: Declared) -> None:
    nobody = files(declared)["conf.d/od.com.conf"]
    assert "set_real_ip_from" not in nobody
    believed = files(declared, '{"edge": {"trusted": ["10.9.0.0/24"]}}')["conf.d/od.com.conf"]
    assert "    10.9.0.0/24 1;\n" in believed
    assert "set_real_ip_from 10.9.0.0/24;\n" in believed


def test_a_site_of_http2_is_sent_on_as_such(declared: Declared) -> None:
    said = '{"edge": {"sites": {"orders": {"protocol": "h2c"}, "shop": {}}, "h2c_port": 8081}}'
    site = files(declared, said)["conf.d/od.com.conf"]
    assert "server_name orders.od.com;" in site
    assert "server_name shop.od.com;" not in site
    assert "grpc_pass grpc://default_backend_traefik_h2c;" in site  # connections of two protocols never mix
    assert site.count("listen 8081 http2") == 3
    assert "_h2c" not in files(declared)["conf.d/od.com.conf"]


@pytest.mark.parametrize("port", [53, 80, 1081, 7443])
def test_a_port_that_the_edge_has_already_is_refused(declared: Declared, port: int) -> None:
    with pytest.raises(InputError, match=rf"edge.h2c_port {port} is the port of another program"):
        files(declared, f"edge.h2c_port={port}")


def test_the_files_follow_from_the_clients(declared: Declared) -> None:
    found = declared("hdss7-11", "edge", "edge.connections=1000", made=False)["OpenFiles nginx"]
    assert found.needed == 4256
    assert "worker_connections 4256;" in files(declared, "edge.connections=1000")["nginx.conf"]
