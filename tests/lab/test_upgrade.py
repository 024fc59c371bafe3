"""Another version of Kubernetes: refused where it can't be meant, rolled without a failed request, rolled back."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.lab import newer, years
from tests.lab.clients import NODES, clients, unharmed
from tests.lab.conftest import running
from tests.lab.running import Ended
from tests.lab.typed import KUBECTL, Typed

NAME, OLD, NEW = "t-upgrade", "1.34.4", "1.35.4"
SNAPSHOT = f"/var/backups/etcd/before-v{NEW}.db"
VERSIONS = "get nodes -o jsonpath='{.items[*].status.nodeInfo.kubeletVersion}'"


@pytest.fixture(scope="module")
def site() -> Iterator[Typed]:
    """The default site, deployed from bare."""
    with running(NAME):
        made = Typed(NAME)
        made.seconds = 600
        deployed = made.invoke("deploy")
        assert deployed.code == 0, str(deployed)
        yield made


@pytest.fixture(scope="module")
def upgrade(site: Typed, request: pytest.FixtureRequest) -> tuple[str, str]:
    """What the command line says of the new version: compiled, but for the core of the suite."""
    core = request.config.getoption("-m") == "core"
    return "--extra-vars", newer.offer(NAME, NEW, newer.relinked(NEW) if core else newer.compiled(NEW))


def versions(site: Typed) -> list[str]:
    return site.on("hdss7-21", f"{KUBECTL} {VERSIONS}").split()


def refused(ended: Ended, said: str) -> None:
    assert ended.code == 4, str(ended)
    assert re.search(said, " ".join(ended.errors.split())), str(ended)


@pytest.mark.parametrize(
    ("version", "said"),
    [("1.36.0", r"in one step.*Deploy 1\.35 first"), ("1.33.9", r"can't go back from v1\.34\.4 to v1\.33\.9")],
)
def test_a_version_that_cannot_follow_is_refused(site: Typed, version: str, said: str) -> None:
    refused(site.invoke("deploy", "--extra-vars", f"site.kubernetes={version}"), said)


def test_a_node_newer_than_an_api_server_outside_the_limit_is_refused(site: Typed, upgrade: tuple[str, str]) -> None:
    ended = site.invoke("deploy", "--limit", "hdss7-22", *upgrade)
    refused(ended, r"newer than an API server that this run leaves as it is.*hdss7-21 runs v1\.34\.4")
    assert versions(site) == [f"v{OLD}", f"v{OLD}"]


def test_the_plan_says_from_to_in_which_order_and_which_snapshot(site: Typed, upgrade: tuple[str, str]) -> None:
    planned = site.invoke("plan", *upgrade)
    assert planned.code == 2, str(planned)
    assert f"v{OLD} becomes v{NEW}, after a snapshot of etcd to {SNAPSHOT}" in planned.output
    assert re.search(rf"KubernetesVersion kubelet +known after the API servers run v{re.escape(NEW)}", planned.output)


@pytest.mark.core
def test_an_upgrade_fails_no_request_and_can_be_rolled_back(site: Typed, upgrade: tuple[str, str]) -> None:
    with clients(NAME) as prober:
        upgraded = site.invoke("deploy", *upgrade)
        receipt = prober.receipt()
    assert upgraded.code == 0, str(upgraded)
    assert unharmed(receipt), receipt
    assert versions(site) == [f"v{NEW}", f"v{NEW}"]
    years.note(
        years.UPGRADE,
        f"invoke deploy --extra-vars site.kubernetes={NEW}",
        receipt,
        f"every program runs v{NEW}; a snapshot of etcd from before is on each master",
    )
    for node in NODES:
        assert site.on(node, "readlink /opt/kubernetes") == f"/opt/kubernetes-v{NEW}"
        assert site.on(node, f"stat -c '%a %U' {SNAPSHOT}") == "600 root"
        assert "revision" in site.on(node, f"ETCDCTL_API=3 etcdctl snapshot status -w table {SNAPSHOT}").lower()
    verified = site.invoke("verify", *upgrade)
    assert verified.code == 0, str(verified)
    refused(site.invoke("deploy"), r"can't go back from v1\.35\.4 to v1\.34\.4.*rollback")
    with clients(NAME) as prober:
        back = site.invoke("rollback")
        receipt = prober.receipt()
    assert back.code == 0, str(back)
    assert unharmed(receipt), receipt
    assert versions(site) == [f"v{OLD}", f"v{OLD}"]
    years.note(years.UPGRADE_BACK, "invoke rollback", receipt, f"every program runs v{OLD}")
    verified = site.invoke("verify")
    assert verified.code == 0, str(verified)


def test_nothing_is_left_to_do_after_the_way_back(site: Typed) -> None:
    planned = site.invoke("plan", "--json")
    assert planned.code == 0, str(planned)
    assert planned.changes == set()
