"""A site whose hosts are of two releases: the edge and one node are Debian 13, the other node is Debian 12."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab import years
from tests.lab.clients import clients, unharmed
from tests.lab.conftest import LAB_INVENTORY, ROOT
from tests.lab.running import SECONDS
from tests.lab.typed import HOSTS, Typed, deployed_site

NAME = "t-debian13"
MIXED = ROOT / "tests" / "lab" / "debian13.yml"
DEBIAN = {"hdss7-11": "trixie", "hdss7-21": "bookworm", "hdss7-22": "trixie"}
CHANGES = ("kubelet.verbosity=3", "traefik.log_level=DEBUG", "edge.keepalive=33", "kube_proxy.mode=nftables")

GAP = 2000  # milliseconds without an answer while the edge changes its program: one edge, and the machine may be busy


@pytest.fixture(scope="module")
def site() -> Iterator[Typed]:
    """The mixed site, deployed from bare."""
    with deployed_site(Typed(NAME), LAB_INVENTORY, MIXED, seconds=SECONDS) as made:
        yield made


def test_each_host_runs_the_debian_that_the_inventory_names(site: Typed) -> None:
    found = {host: site.on(host, '. /etc/os-release && echo "$VERSION_CODENAME"') for host in HOSTS}
    assert found == DEBIAN


@pytest.mark.core
def test_every_promise_is_kept(site: Typed) -> None:
    verified = site.invoke("verify")
    assert verified.code == 0, str(verified)


def test_a_second_deploy_changes_nothing(site: Typed) -> None:
    deployed = site.invoke("deploy", "--json")
    assert deployed.code == 0, str(deployed)
    assert deployed.changes == set()


@pytest.mark.parametrize("setting", CHANGES)
def test_nobody_notices_a_change(site: Typed, setting: str) -> None:
    with clients(NAME) as prober:
        deployed = site.invoke("deploy", "--extra-vars", setting)
        receipt = prober.receipt()
    assert deployed.code == 0, str(deployed)
    assert unharmed(receipt), receipt
    if setting == CHANGES[0]:
        years.note(years.MIXED, f"invoke deploy --extra-vars {setting}", receipt, "every check passes")


def test_every_promise_is_kept_after_all_changes(site: Typed) -> None:
    assert site.invoke("deploy").code == 0
    verified = site.invoke("verify")
    assert verified.code == 0, str(verified)


def test_haproxy_serves_as_the_edge_of_debian_13_and_nginx_again(site: Typed) -> None:
    haproxy = ("--extra-vars", "edge.program=haproxy")
    try:
        switched(site, "haproxy", haproxy)
        version = site.on("hdss7-11", "haproxy -v")
        assert version.startswith("HAProxy version 3.0."), version
    finally:
        switched(site, "nginx", ())


def switched(site: Typed, program: str, words: tuple[str, ...]) -> None:
    """The edge gets this program with clients asking, and keeps every promise. words: of the commands."""
    with clients(NAME) as prober:
        deployed = site.invoke("deploy", *words)
        receipt = prober.receipt()
    print(f"Debian 13, to {program}: {receipt}")
    assert deployed.code == 0, str(deployed)
    assert receipt.longest_gap < GAP, receipt
    other = {"haproxy": "nginx", "nginx": "haproxy"}[program]
    assert site.on("hdss7-11", f"systemctl is-active {program} {other}; true").split() == ["active", "inactive"]
    again = site.invoke("plan", "--json", *words)
    assert (again.code, again.changes) == (0, set()), str(again)
    verified = site.invoke("verify", *words)
    assert verified.code == 0, str(verified)
