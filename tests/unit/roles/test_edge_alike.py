"""Edges that share an address: which of their settings have to be the same, and which are an edge's own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from provision.errors import InputError
from roles._edge_alike import OF_ONE_EDGE, differences
from roles._edge_sites import SiteOfEdge, TlsOfSite
from roles.edge import Settings
from tests.unit.conftest import ROOT, Declared


def edges(folder: Path, first: str, second: str, inventory: str = "lab-ha") -> Path:
    """Two edges, with these variables each."""
    made = folder / "inventory"
    shutil.copytree(ROOT / "inventory" / inventory, made, symlinks=False)
    (made / "host_vars").mkdir(exist_ok=True)
    for host, text in (("hdss7-11", first), ("hdss7-12", second)):
        (made / f"host_vars/{host}.yml").write_text(text)
    return made


@pytest.mark.parametrize(
    ("role", "first", "second", "what", "lines"),
    [
        ("edge", "", "edge: {max_body: 10m}", "edge.max_body", ("", "12.yml:1")),
        ("edge", "edge: {max_body: 10m}", "", "edge.max_body", ("11.yml:1", "")),
        (
            "edge",
            "edge:\n  trusted: [10.9.0.1]",
            "edge: {trusted: [10.9.0.2]}",
            "edge.trusted",
            ("11.yml:2", "12.yml:1"),
        ),
        ("edge", "", "edge: {sites: {demo: {protocol: h2c}}}", "edge.sites.demo", ("", "12.yml:1")),
        (
            "edge",
            "edge:\n  sites:\n    demo:\n      networks: [10.9.0.0/16]",
            "edge:\n  sites:\n    demo: {networks: [10.8.0.0/16]}",
            "edge.sites.demo.networks",
            ("11.yml:4", "12.yml:3"),
        ),
        ("edge", "", "edge: {tls: {source: own}}", "edge.tls.source", ("", "12.yml:1")),
        ("keepalived", "", "keepalived: {router: 77}", "keepalived.router", ("", "12.yml:1")),
        ("keepalived", "", "site: {vip_elsewhere: true}", "site.vip_elsewhere", ("", "12.yml:1")),
    ],
)
def test_what_clients_would_see_differ_is_refused_with_both_lines(
    declared: Declared, tmp_path: Path, role: str, first: str, second: str, what: str, lines: tuple[str, str]
) -> None:
    inventory = edges(tmp_path, first, second)
    host = "hdss7-11" if what.startswith("site") else "hdss7-12"  # the other one shares no address
    with pytest.raises(InputError) as refused:
        declared(host, role, made=False, inventory=inventory)
    said = str(refused.value)
    assert what in refused.value.explanation.what
    for line in filter(None, lines):
        assert f"host_vars/hdss7-{line}" in said, said
    assert refused.value.explanation.do


@pytest.mark.parametrize("second", ["edge: {program: haproxy, worker_processes: 4, connections: 8192}", ""])
def test_what_is_an_edges_own_may_differ(declared: Declared, tmp_path: Path, second: str) -> None:
    inventory = edges(tmp_path, "edge: {keepalive: 16}", second)
    assert declared("hdss7-12", "edge", made=False, inventory=inventory)
    assert declared("hdss7-12", "keepalived", made=False, inventory=inventory)


def test_every_name_that_may_differ_is_a_setting() -> None:
    assert set(Settings.__struct_fields__) >= OF_ONE_EDGE


def test_differences_are_told_at_their_deepest_place() -> None:
    left = Settings(sites={"a": SiteOfEdge(tls=TlsOfSite(hsts=1)), "b": SiteOfEdge()}, max_body="1m")
    right = Settings(sites={"a": SiteOfEdge(tls=TlsOfSite(hsts=2))}, max_body="1m")
    assert list(differences(left, right)) == [("sites", "a", "tls", "hsts"), ("sites", "b")]
    assert list(differences(left, left)) == []
