"""A roll behind two edges, with nginx alone: a node is out on both, and without one of them no node is changed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from provision.apply.events import Drained, Event, PlayStarted
from provision.apply.options import RunOptions
from provision.apply.run import Report
from provision.errors import Exit
from provision.inventory import Inventory
from provision.plan.plan import Declaration
from provision.playbook.health_check import HealthCheck
from provision.playbook.plays import Play
from provision.playbook.serial import Share
from provision.remote.login import Login
from provision.resources import ConfigSet, File, Nginx, Package, Resource
from provision.resources.base import Rendering
from provision.resources.configset.marks import mark
from provision.runner import run
from tests.fixed_site import FixedSite
from tests.lab.conftest import ROOT, RunningLab, running
from tests.lab.test_engine import on_host

EDGES = ("hdss7-11", "hdss7-12")
NODES = {"hdss7-21": "10.4.7.21", "hdss7-22": "10.4.7.22"}
HOSTS = (*EDGES, *NODES)
ANSWER = "127.0.0.2:80"
MAIN = """\
user www-data;
pid /run/nginx.pid;
error_log /var/log/nginx/error.log;
events {}
http { include site/release.conf; %s }
"""
EDGE = """upstream nodes { %s }
server { listen 80; location / { proxy_pass http://nodes; proxy_connect_timeout 2s; } }"""
NODE = "server { listen 81; return 200 ok; }"
PLAYS = (
    Play(name="all", hosts="all", roles=()),
    Play(name="nodes", hosts="nodes", roles=(), serial=(Share(1),), drain="edge", soak=0.5),
)
DEADLINE = 90  # seconds within which a run has to say that an edge is lost


@pytest.fixture(scope="module")
def site() -> Iterator[RunningLab]:
    """Two edges and two nodes behind them."""
    inventory = ROOT / "tests" / "lab" / "edges"
    with running("t-edges", inventory) as lab:
        first = roll(lab, "one")
        assert first.exit is Exit.OK, [str(host.error) for host in first.hosts if host.error]
        yield lab


def nginx(http: str) -> ConfigSet:
    return ConfigSet(directory="/etc/nginx", files={"nginx.conf": MAIN % http}, activation=Nginx(answer=ANSWER))


def declared(host: str, repository: str, content: str) -> tuple[Declaration, ...]:
    """What a host of this site is; nodes change in a play of their own."""
    servers = " ".join(f"server {address}:81{mark(name)};" for name, address in NODES.items())
    first: tuple[Resource, ...] = (
        File(path="/etc/apt/sources.list.d/provision.list", content=f"{repository}\n"),
        Package(names=("nginx",)),
        nginx(EDGE % servers if host in EDGES else NODE),
    )
    rolled = (File(path="/srv/content", content=content),) if host in NODES else ()
    rendering = Rendering(lambda template: "")
    return tuple(
        Declaration(rendering.resource(resource), "edge", "roles/edge.py:1", play)
        for play, resources in enumerate((first, rolled))
        for resource in resources
    )


def roll(lab: RunningLab, content: str, on: Callable[[Event], None] = lambda _: None) -> Report:
    """One run: /srv/content on every node becomes this."""
    inventory = Inventory.load(lab.sources)
    logins = tuple(Login.of(inventory.host(h), user=None, key=None, become_password=None) for h in HOSTS)
    repository = inventory.host(EDGES[0]).var("apt_repository")["line"]
    site = FixedSite(
        PLAYS,
        logins,
        {"all": HOSTS, "edge": EDGES, "nodes": tuple(NODES)},
        lambda host: declared(host, repository, content),
        HealthCheck("http://od.com/", 81),
    )
    return run(site, RunOptions(), on)


def left_out(lab: RunningLab) -> dict[str, str]:
    """The nodes that each edge leaves out, as nginx reads it."""
    return {edge: on_host(lab, edge, "grep -o '10.4.7.2[12]:81 down' /etc/nginx/nginx.conf || true") for edge in EDGES}


def contents(lab: RunningLab) -> set[str]:
    return {on_host(lab, node, "cat /srv/content") for node in NODES}


def test_a_node_that_changes_is_left_out_by_both_edges(site: RunningLab) -> None:
    seen = []

    def on(event: Event) -> None:
        if isinstance(event, Drained):
            seen.append((event.host, left_out(site)))

    report = roll(site, "two", on)
    assert report.exit is Exit.OK, [str(host.error) for host in report.hosts if host.error]
    assert seen == [(name, dict.fromkeys(EDGES, f"{address}:81 down")) for name, address in NODES.items()]
    assert left_out(site) == dict.fromkeys(EDGES, "")
    assert contents(site) == {"two"}
    (rolled,) = report.rolled
    assert (rolled.receipt.failures, rolled.receipt.not_served) == (0, ())
    assert rolled.receipt.requests > 0


def test_with_an_edge_frozen_no_node_is_changed(site: RunningLab) -> None:
    before = contents(site)
    began = time.monotonic()
    on_host(site, "hdss7-12", "kill -STOP $(systemctl show -p MainPID --value ssh)")
    try:
        report = roll(site, "frozen")
    finally:
        on_host(site, "hdss7-12", "kill -CONT $(systemctl show -p MainPID --value ssh)")
    assert time.monotonic() - began < DEADLINE
    assert report.exit is Exit.UNREACHABLE
    errors = {host.name: str(host.error) for host in report.hosts if host.error}
    assert set(errors) == {"hdss7-12", "hdss7-21"}
    assert errors["hdss7-21"].startswith("hdss7-12: hdss7-12 can't drain a node")
    assert contents(site) == before
    assert left_out(site) == dict.fromkeys(EDGES, "")


def test_an_edge_lost_at_the_start_leaves_no_node_drained(
    site: RunningLab,
) -> None:
    before = contents(site)

    def on(event: Event) -> None:
        if isinstance(event, PlayStarted) and event.name == "nodes":
            # the listener goes on: only this run's connection is lost
            on_host(site, "hdss7-12", "pkill -KILL -P $(systemctl show -p MainPID --value ssh)")

    report = roll(site, "lost", on)
    assert report.exit is Exit.UNREACHABLE
    assert any("hdss7-12" in str(host.error) for host in report.hosts if host.error)
    assert contents(site) == before
    assert left_out(site) == dict.fromkeys(EDGES, "")
    assert roll(site, "lost").exit is Exit.OK
    assert contents(site) == {"lost"}


def test_an_edge_lost_during_a_drain_ends_the_rolling_update(site: RunningLab) -> None:
    def on(event: Event) -> None:
        if isinstance(event, Drained):
            on_host(site, "hdss7-12", "pkill -KILL -P $(systemctl show -p MainPID --value ssh)")

    report = roll(site, "half", on)
    assert report.exit is Exit.UNREACHABLE
    assert [host.name for host in report.hosts if host.error] == ["hdss7-12"]
    assert left_out(site) == dict.fromkeys(EDGES, f"{NODES['hdss7-21']}:81 down")  # the same on both
    assert [on_host(site, node, "cat /srv/content") for node in NODES] == ["half", "lost"]
    assert roll(site, "half").exit is Exit.OK
    assert contents(site) == {"half"}
    assert left_out(site) == dict.fromkeys(EDGES, "")
