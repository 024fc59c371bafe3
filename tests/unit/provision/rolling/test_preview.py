"""What a plan says of nodes that it takes out: which, one after the other, at which edges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from hdss7.report.text import rolling_line
from provision.apply.events import RollingPlanned
from provision.plan.plan import Declaration, HostPlan, Item
from provision.playbook.health_check import HealthCheck
from provision.playbook.plays import Play
from provision.playbook.serial import Share
from provision.resources import (
    Action,
    Change,
    File,
    Manifests,
    Program,
    Resource,
    Rollout,
    Unknown,
    VirtualAddress,
)
from provision.resources.base import AS_DECLARED, Outcome
from provision.resources.configset.drain import NOT_IN_USE
from provision.rolling.preview import rolling_plays
from tests.fixed_site import FixedSite

PLAYS = (
    Play("every host", "all", ()),
    Play("nodes", "nodes", (), serial=(Share(1),), drain="edge"),
    Play("cluster", "masters", (), drain="edge"),
)
GROUPS = {"all": ("e1", "n1", "n2"), "nodes": ("n1", "n2"), "masters": ("n1",), "edge": ("e1",)}
FLAG = File(path="/opt/kubelet.sh", content="x")
KUBELET = Program(name="kubelet-7-21", ready="true", log="/l")
SET = Manifests(name="traefik", content="", kubectl="kubectl")
FIXED = Rollout(kind="DaemonSet", namespace="a", name="b", kubectl="kubectl", of=SET)
PODS = replace(FIXED, nodes=(("n1", "n1.host.com"), ("n2", "n2.host.com")))
UPDATE, CREATE = Change(Action.UPDATE, "content"), Change(Action.CREATE, "start it")


def plan(host: str, play: int, *pending: tuple[Resource, Outcome]) -> HostPlan:
    items = (Item(Declaration(resource, "role", "roles/role.py:1", play), outcome) for resource, outcome in pending)
    return HostPlan(host, tuple(items))


CHECK = HealthCheck("http://od.com/", 81)


def said(*plans: HostPlan, force: bool = False, check: HealthCheck | None = CHECK) -> tuple[RollingPlanned, ...]:
    site = FixedSite(PLAYS, (), GROUPS, check=check)
    return rolling_plays(site, {plan.host: plan for plan in plans}, force=force)


BOTH = ("n1", "n2")


@pytest.mark.parametrize(
    ("plans", "out"),
    [
        ([plan("n1", 1, (FLAG, UPDATE)), plan("n2", 1, (FLAG, UPDATE))], {"nodes": BOTH}),
        ([plan("n1", 1, (FLAG, UPDATE)), plan("n2", 1, (FLAG, AS_DECLARED))], {"nodes": ("n1",)}),
        ([plan("n1", 1, (KUBELET, CREATE)), plan("n2", 1, (KUBELET, CREATE))], {}),  # a bare site
        ([plan("n1", 1, (FLAG, UPDATE)), plan("n2", 1, (KUBELET, CREATE))], {"nodes": BOTH}),  # a new node
        ([plan("n1", 0, (FLAG, UPDATE))], {}),  # not a play that drains
        ([plan("n1", 2, (SET, UPDATE), (PODS, AS_DECLARED))], {"cluster": BOTH}),
        ([plan("n1", 2, (SET, AS_DECLARED), (PODS, UPDATE))], {"cluster": BOTH}),
        ([plan("n1", 2, (SET, UPDATE), (FIXED, UPDATE))], {}),
        ([plan("n1", 2, (SET, Unknown("the API")), (PODS, Unknown("the API")))], {}),  # never guessed
        ([plan("n1", 1)], {}),
    ],
)
def test_a_plan_names_whom_it_takes_out(plans: list[HostPlan], out: Mapping[str, tuple[str, ...]]) -> None:
    assert {roll.play: roll.hosts for roll in said(*plans)} == out


def test_nobody_is_taken_out_by_force_or_where_nobody_is_watched() -> None:
    change = plan("n1", 1, (FLAG, UPDATE))
    assert said(change, force=True) == said(change, check=None) == ()


def test_an_edge_outside_the_limit_is_named() -> None:
    (roll,) = said(plan("n1", 1, (FLAG, UPDATE)))
    assert rolling_line(roll) == "nodes: drains n1 at e1 (e1 is outside --limit: only the drain mark changes there)"
    (roll,) = said(plan("n1", 1, (FLAG, UPDATE)), plan("n2", 1, (FLAG, UPDATE)), plan("e1", 0))
    assert rolling_line(roll) == "nodes: drains n1, n2, one at a time, at e1"


EDGES = Play("edge", "edges", (), serial=(Share(1),), drain="keepalived")
ADDRESS = VirtualAddress(
    address="10.4.7.10", host="e1", handover="/run/h", state="/run/s", wait=1, lasting_port=7443, log="/l"
)


@pytest.mark.parametrize(
    ("address", "out"),
    [
        (AS_DECLARED, ("e1",)),
        (Change(Action.UPDATE, "this host can't take it"), ("e1",)),
        (Change(Action.UPDATE, "no host holds it", parts=NOT_IN_USE), ()),  # a first deploy
    ],
)
def test_edges_leave_an_address_that_somebody_holds(address: Outcome, out: tuple[str, ...]) -> None:
    held = Item(Declaration(ADDRESS, "keepalived", "roles/keepalived.py:1", 1), address)
    changing = plan("e1", 0, (FLAG, UPDATE))
    site = FixedSite((EDGES,), (), {"edges": ("e1", "e2"), "keepalived": ("e1", "e2")}, check=CHECK)
    found = rolling_plays(site, {"e1": replace(changing, items=(*changing.items, held))})
    assert tuple(host for roll in found for host in roll.hosts) == out
