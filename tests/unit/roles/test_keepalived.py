"""The address that edges share: who may hold it, what keepalived reads, and what is refused before a host is asked."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from provision.errors import InputError
from provision.facts.host import ShellAnswer
from provision.facts.question import Answers
from provision.project import Project
from provision.resources import AddressHeld, ConfigSet, VirtualAddress
from provision.resources.base import Change
from provision.resources.configset.drain import NOT_IN_USE
from provision.search_path import SearchPath
from tests.unit.conftest import ROOT, Declared

TWO = ROOT / "inventory" / "lab-ha"
VIP = "10.4.7.10"


def main(declared: Declared, host: str, *extra: str) -> str:
    found = declared(host, "keepalived", *extra, made=False, inventory=TWO)["ConfigSet /etc/keepalived"]
    assert isinstance(found, ConfigSet)
    return found._contents["keepalived.conf"].decode()


def test_the_edges_know_each_other_and_the_first_has_priority(declared: Declared) -> None:
    first, second = main(declared, "hdss7-11"), main(declared, "hdss7-12")
    assert "    unicast_src_ip 10.4.7.11\n    unicast_peer {\n        10.4.7.12 min_ttl 255 max_ttl 255 #" in first
    assert "        10.4.7.11 min_ttl 255 max_ttl 255 #" in second
    assert ("priority 250\n" in first, "priority 240\n" in second) == (True, True)
    for text in (first, second):
        assert "nopreempt" in text
        assert "advert_int 0.5\n" in text
        assert "virtual_router_id 10\n" in text
        assert "auth" not in text
    assert "virtual_router_id 77\n" in main(declared, "hdss7-11", "keepalived.router=77")


def test_one_edge_has_nothing_to_do(declared: Declared) -> None:
    assert declared("hdss7-11", "keepalived", made=False) == {}
    assert declared("hdss7-11", "keepalived", "site.vip=10.4.7.11", made=False) == {}
    elsewhere = ("site.vip=10.4.7.10", "site.vip_elsewhere=true")
    assert declared("hdss7-11", "keepalived", *elsewhere, made=False) == {}


def test_edges_with_different_addresses_are_refused(declared: Declared, tmp_path: Path) -> None:
    inventory = tmp_path / "inventory"
    shutil.copytree(TWO, inventory, symlinks=False)
    (inventory / "host_vars").mkdir(exist_ok=True)
    (inventory / "host_vars/hdss7-12.yml").write_text("site: {vip: 10.4.7.9}\n")
    with pytest.raises(InputError, match=r"hdss7-11 and hdss7-12 share one address.*10\.4\.7\.10 and 10\.4\.7\.9"):
        declared("hdss7-11", "keepalived", made=False, inventory=inventory)


@pytest.mark.parametrize(
    ("inventory", "vip", "said"),
    [
        (TWO, "10.4.8.10", "is no address in the network of hdss7-11"),
        (TWO, "10.4.7.255", "is no address in the network of hdss7-11"),
        (TWO, "10.4.7.21", "is hdss7-21's own address"),
        (TWO, "10.4.7.12", "is hdss7-12's own address"),
        (ROOT / "inventory" / "lab", VIP, "nobody can hold site.vip"),
    ],
)
def test_an_address_that_nobody_can_hold_is_refused(declared: Declared, inventory: Path, vip: str, said: str) -> None:
    with pytest.raises(InputError) as refused:
        declared("hdss7-11", "keepalived", f"site.vip={vip}", made=False, inventory=inventory)
    assert said in refused.value.explanation.what
    assert refused.value.explanation.line == "--extra-vars"
    assert refused.value.explanation.do


@pytest.mark.parametrize(("role", "before"), [("bind", "names"), ("kubelet", "kubelet"), ("kube_proxy", "kube-proxy")])
def test_nothing_is_led_to_the_address_before_it_is_held(declared: Declared, role: str, before: str) -> None:
    host = "hdss7-11" if role == "bind" else "hdss7-21"
    key = f"AddressHeld {VIP} before {before}"
    assert isinstance(declared(host, role, inventory=TWO)[key], AddressHeld)
    assert not any("AddressHeld" in each for each in declared(host, role))


def address(declared: Declared) -> VirtualAddress:
    found = declared("hdss7-11", "keepalived", made=False, inventory=TWO)[f"VirtualAddress {VIP}"]
    assert isinstance(found, VirtualAddress)
    return found


def answers(address: VirtualAddress, words: str, run: str = "") -> Answers:
    found, stamp = address.questions()
    return {found: ShellAnswer(0, words), stamp: run}


@pytest.mark.parametrize(
    ("words", "differs"),
    [
        ("MASTER 0 1 1", ""),
        ("BACKUP 0 0 1", ""),
        ("FAULT 0 0 1", "can't take it"),
        ("STOPPED 0 0 1", "can't take it"),
        ("FAULT 1 0 1", "by no run"),  # somebody wrote into the file
        ("STOPPED 0 0 0", "no host holds it"),
        ("", "no host holds it"),
    ],
)
def test_an_edge_holds_the_address_or_stands_by(declared: Declared, words: str, differs: str) -> None:
    shared = address(declared)
    change = shared.compare(answers(shared, words), ())
    assert (differs in change.summary) if isinstance(change, Change) else not differs
    if "no host" in differs:
        assert isinstance(change, Change)
        assert change.parts == NOT_IN_USE


def test_the_holder_is_busiest_and_a_handed_over_one_is_out(declared: Declared) -> None:
    shared = address(declared)
    assert shared.busiest(answers(shared, "MASTER 0 1 1")) == {"hdss7-11"}
    assert shared.busiest(answers(shared, "BACKUP 0 0 1")) == frozenset()
    assert shared.compare(answers(shared, "FAULT 1 0 1", "2026"), ()) is None
    assert shared.drained_now(answers(shared, "FAULT 1 0 1", "2026")) == {"hdss7-11": "2026"}
    assert shared.drained_now(answers(shared, "MASTER 0 1 1", "2026")) == {}  # it was started anew meanwhile


@pytest.mark.parametrize(("inventory", "hosts"), [(TWO, ["hdss7-11", "hdss7-12"]), (ROOT / "inventory" / "lab", [])])
def test_edges_are_rolled_where_they_share_an_address(facts: Path, inventory: Path, hosts: list[str]) -> None:
    project = Project(SearchPath.of(ROOT), [inventory, facts])
    play = next(play for play in project.plays if play.drain == "keepalived")
    check = project.health_check(play)
    assert [host.name for host in project.edges(play) if check] == hosts
    if check:
        assert (check.port, check.node_ports, check.of_edges) == (80, (), True)
