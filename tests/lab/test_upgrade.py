"""Another version of Kubernetes: refused where it can't be meant, rolled without a failed request, rolled back."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.lab import interrupted, newer, years
from tests.lab.clients import NODES, clients, unharmed
from tests.lab.running import Ended
from tests.lab.typed import KUBECTL, Typed, deployed_site

NAME, OLD, NEW, NEXT = "t-upgrade", "1.34.4", "1.35.4", "1.35.5"
SNAPSHOT = f"/var/backups/etcd/before-v{NEW}.db"
VERSIONS = "get nodes -o jsonpath='{.items[*].status.nodeInfo.kubeletVersion}'"


@pytest.fixture(scope="module")
def site() -> Iterator[Typed]:
    """The default site, deployed from bare."""
    with deployed_site(Typed(NAME)) as made:
        yield made


@pytest.fixture(scope="module")
def upgrade(site: Typed, request: pytest.FixtureRequest) -> tuple[str, str]:
    """What the command line says of the new version: compiled, but for the core of the suite."""
    core = request.config.getoption("-m") == "core"
    return "--extra-vars", newer.offer(NAME, NEW, newer.relinked(NEW) if core else newer.compiled(NEW))


def versions(site: Typed) -> list[str]:
    return site.on("hdss7-21", f"{KUBECTL} {VERSIONS}").split()


def programs(site: Typed) -> list[str]:
    """The versions that the programs of Kubernetes run, on all nodes, as their command lines say."""
    find = "for p in /proc/[0-9]*/exe; do readlink $p; done | sed -n 's|^/opt/kubernetes-v\\([0-9.]*\\)/.*|\\1|p'"
    return [version for node in NODES for version in site.on(node, find).split()]


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


def test_an_upgrade_whose_controller_dies_in_each_step_is_ended_by_the_next_runs(
    site: Typed, upgrade: tuple[str, str]
) -> None:
    planned = site.invoke("plan", "--json", *upgrade)
    wanted = {(host, change["resource"]) for host, it in planned.document["hosts"].items() for change in it["changes"]}

    def each_runs_one_of_both() -> None:
        assert set(programs(site)) <= {OLD, NEW}

    with clients(NAME) as prober:
        reached = interrupted.until_ended(NAME, upgrade[1], each_runs_one_of_both)
        receipt = prober.receipt()
    assert unharmed(receipt), receipt
    assert wanted - reached == set(), "these steps were never cut"
    assert versions(site) == [f"v{NEW}", f"v{NEW}"]
    years.note(
        years.UPGRADE_CUT,
        f"invoke deploy --extra-vars site.kubernetes={NEW}, its controller killed in each of {len(reached)} steps",
        receipt,
        f"after each cut every program runs v{OLD} or v{NEW}, at the end v{NEW}",
    )
    verified = site.invoke("verify", *upgrade)
    assert verified.code == 0, str(verified)


POWER = (  # in the order of a deploy
    "Program kube-apiserver-7-22",
    "KubernetesVersion kubelet",
    "File /opt/kubernetes-v{}/server/bin/kubelet.sh",
    "Program kube-kubelet-7-22",
    "Program kube-proxy-7-22",
    "Symlink /opt/kubernetes",
)
# its programs, and then both nodes' Traefiks six times in a row: each leads the dashboard to both pods by turns, and
# knows the address of the new one only after a while. Before that the next run has one node to send requests to
UP = """
until curl -fsk https://127.0.0.1:6443/readyz && curl -fs http://127.0.0.1:10248/healthz &&
  curl -fs http://127.0.0.1:10256/healthz; do sleep 0.5; done >/dev/null
good=0
until [ $good -ge 6 ]; do
  good=$((good + 1))
  for node in 10.4.7.21 10.4.7.22; do
    curl -fs -m 2 -o /dev/null -H 'Host: traefik.od.com' "http://$node:81/dashboard/" || { good=0; sleep 0.5; }
  done
done
"""


def test_a_node_whose_power_is_cut_in_an_upgrade_comes_up_old_or_new(
    site: Typed, request: pytest.FixtureRequest
) -> None:
    module = newer.relinked(NEXT) if request.config.getoption("-m") == "core" else newer.compiled(NEXT)
    extra_vars = newer.offer(NAME, NEXT, module)
    before = set(programs(site))
    assert len(before) == 1
    with clients(NAME) as prober:
        for resource in POWER:
            cut = interrupted.deploy(NAME, extra_vars, "hdss7-22", resource.format(NEXT))
            assert not cut.ended, f"{resource} was never begun: {cut.steps}"
            site.on("hdss7-22", UP)
            assert set(programs(site)) <= {*before, NEXT}
        receipt = prober.receipt()
    deployed = site.invoke("deploy", "--extra-vars", extra_vars)
    assert deployed.code == 0, str(deployed)
    assert versions(site) == [f"v{NEXT}", f"v{NEXT}"]
    years.note(
        years.UPGRADE_OFF,
        f"invoke deploy --extra-vars site.kubernetes={NEXT}; hdss7-22's power is cut in {len(POWER)} of its steps",
        receipt,
        f"after each cut every program runs v{''.join(before)} or v{NEXT}, and the next run goes on",
    )
