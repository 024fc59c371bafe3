"""HAProxy as the edge's program: what its file has to say so that it keeps the promises of docs/edge.md."""

from __future__ import annotations

import json
import re
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from provision.errors import InputError
from provision.inventory import Inventory
from provision.resources import ConfigSet
from provision.resources.fixed import FixedSetting
from roles._edge_haproxy import KNOWN, KNOWN_OF_A_SITE, check_known
from roles._edge_sites import SiteOfEdge, Tls
from roles.edge import Settings
from tests.unit.conftest import ROOT, Declared

KEY = "ConfigSet /etc/haproxy"


def declared_with(declared: Declared, **edge: Any) -> dict[str, Any]:
    return dict(declared("hdss7-11", "edge", json.dumps({"edge": {"program": "haproxy", **edge}}), made=False))


def file(declared: Declared, **edge: Any) -> str:
    found = declared_with(declared, **edge)[KEY]
    assert isinstance(found, ConfigSet)
    return found._contents["haproxy.cfg"].decode()


def section(text: str, name: str) -> str:
    """A section of the file."""
    return re.split(r"\n(?=\S)", text.partition(f"\n{name}")[2])[0]


def test_another_program_is_refused(declared: Declared) -> None:
    with pytest.raises(InputError, match=r"edge.program"):
        declared("hdss7-11", "edge", "edge.program=apache", made=False)


@pytest.mark.parametrize(("program", "other"), [("haproxy", "nginx"), ("nginx", "haproxy")])
def test_the_other_program_is_stopped_after_this_one_serves(declared: Declared, program: str, other: str) -> None:
    found = declared("hdss7-11", "edge", f"edge.program={program}", made=False)
    off = found[f"Service {other}"]
    assert (off.running, off.enabled) == (False, False)
    keys = list(found)
    assert keys.index(f"ConfigSet /etc/{program}") < keys.index(f"Service {program}") < keys.index(f"Service {other}")


@pytest.mark.parametrize("backend", ["nodes", "nodes_h2c"])
def test_every_node_is_checked_and_asked_again_as_a_last_hop(declared: Declared, backend: str) -> None:
    found = section(file(declared, sites={"grpc": {"protocol": "h2c"}}), f"backend {backend}")
    for name, address in (("hdss7-21", "10.4.7.21:81"), ("hdss7-22", "10.4.7.22:81")):
        assert f"    server {name} {address} check inter 1s " in found
        assert f"    server {name}-again {address} backup\n" in found
    assert "observe layer4 error-limit 3 on-error mark-down" in found  # connects alone: no application counts
    assert "option allbackups" in found
    assert ("proto h2" in found) == (backend == "nodes_h2c")


def test_without_max_fails_no_node_is_ever_left_out(declared: Declared) -> None:
    found = section(file(declared, max_fails=0), "backend nodes")
    assert " check" not in found
    assert "backup" not in found


def test_a_drained_host_is_disabled_wherever_it_serves(declared: Declared) -> None:
    config = declared_with(declared)[KEY]
    drained = config._with_drained({"hdss7-21": "run1"})._contents["haproxy.cfg"].decode()
    servers = [line.split() for line in drained.splitlines() if line.startswith("    server ")]
    assert {row[1]: row[3] == "disabled" for row in servers if len(row) > 3} == {
        "hdss7-21": True,
        "hdss7-21-again": True,
        "hdss7-22": False,
        "hdss7-22-again": False,
    }
    assert config.drainable == {"hdss7-21", "hdss7-22"}


@pytest.mark.parametrize(
    "line",
    [
        "    tune.bufsize 73728 ",  # 64 KB of an answer's header, and what is kept beside it
        "    maxconn 5120\n",
        "    ulimit-n 10496 ",
        "    hard-stop-after 600s ",
        "    timeout tunnel 3600s ",
        "    timeout connect 2s ",
        "    retry-on conn-failure empty-response\n",
        "    http-request disable-l7-retry unless { method GET HEAD OPTIONS PUT DELETE TRACE }\n",
        "    http-request del-header Forwarded\n",
        "    http-request set-header X-Forwarded-For %[src]\n",
        "    http-request return status 200 content-type text/plain file site/release\n",
        "trace=%[capture.req.hdr(1)]",
    ],
)
def test_a_promise_of_the_edge_is_kept(declared: Declared, line: str) -> None:
    assert line in file(declared)


def test_the_file_ends_with_a_line_feed(declared: Declared) -> None:
    assert file(declared).endswith("\n")  # without one HAProxy takes it for truncated


def test_only_trusted_senders_are_believed_by_haproxy(declared: Declared) -> None:
    assert "set-src" not in file(declared)
    believed = file(declared, trusted=["10.9.0.0/24", "fd00::/8"])
    assert "    acl sender_trusted src 10.9.0.0/24 fd00::/8\n" in believed
    assert "    http-request set-src req.hdr_ip(x-forwarded-for,-1) if sender_trusted\n" in believed


def test_sites_of_http2_are_chosen_by_name(declared: Declared) -> None:
    found = file(declared, sites={"grpc": {"protocol": "h2c"}, "*.x": {"protocol": "h2c"}, "shop": {}}, h2c_port=8081)
    assert "    use_backend nodes_h2c if { var(txn.name) -m str *.x.od.com grpc.od.com }\n" in found
    assert "shop" not in found
    assert "    bind *:8081 proto h2\n" in found
    assert "nodes_h2c" not in file(declared)


def test_the_files_follow_from_the_clients_of_haproxy(declared: Declared) -> None:
    assert declared_with(declared, connections=1000)["OpenFiles haproxy"].needed == 4304


def test_the_live_ports_are_found_in_either_programs_file(declared: Declared) -> None:
    fixed = [each for each in declared_with(declared).values() if isinstance(each, FixedSetting)]
    assert {each.of for each in fixed} == {"/etc/nginx/nginx.conf", "/etc/haproxy/haproxy.cfg"}
    text = file(declared).splitlines()
    for each in fixed:
        if each.of == "/etc/haproxy/haproxy.cfg":
            where = each.look.path[-1]
            (first, *_) = [re.sub(where.before, "", line) for line in text if re.search(where.before, line)]
            assert re.match(where.value, first)[0] == each.fixed.value  # type: ignore[index]


class Later(Settings, frozen=True):
    """A setting that only nginx's files know."""

    closed: tuple[str, ...] = ()


@pytest.mark.parametrize(
    ("said", "refused"), [({}, ""), ({"tls": Tls(source="own")}, ""), ({"closed": ("a",)}, "edge.closed")]
)
def test_a_setting_that_haproxy_would_ignore_is_refused(
    declared: Declared, facts: Path, said: dict[str, Any], refused: str
) -> None:
    host = Inventory.load([ROOT / "inventory/lab", facts]).host("hdss7-11")
    expected = pytest.raises(InputError, match=f"{refused} can't be had") if refused else nullcontext()
    with expected:
        check_known(host, Later(**said), KNOWN, "edge")


def test_what_is_known_are_settings_of_the_role() -> None:
    assert set(Settings.__struct_fields__) >= KNOWN
    assert set(SiteOfEdge.__struct_fields__) >= KNOWN_OF_A_SITE


@pytest.mark.parametrize(
    ("setting", "value", "most"),
    [("read_timeout", "30d", "24d"), ("api_idle_timeout", "5w", "24d"),
     ("shutdown_timeout", "600h", "24d")],
)  # fmt: skip
def test_what_haproxy_would_not_start_with_is_refused(
    declared: Declared, setting: str, value: object, most: str
) -> None:
    with pytest.raises(InputError, match=f"edge.{setting} {value} is too much.*at most {most}"):
        declared_with(declared, **{setting: value})
