"""etcd over the years: members that come, lose their disk and are cared for; nothing of what it holds is lost."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from roles._snapshots import Snapshot, check
from tests.lab import interrupted, years
from tests.lab.clients import clients, unharmed
from tests.lab.conftest import LAB_INVENTORY
from tests.lab.running import Ended
from tests.lab.typed import KUBECTL, Typed, deployed_site

NAME = "t-etcd"
THIRD = "hdss7-22"
CERT = "/opt/etcd/certs"
CTL = (
    f"ETCDCTL_API=3 etcdctl --cacert={CERT}/ca.pem --cert={CERT}/etcd-peer.pem --key={CERT}/etcd-peer-key.pem "
    "--endpoints=https://127.0.0.1:2379"
)
PID = "supervisorctl pid etcd-server-7-{}"
HEARTBEAT = ("--extra-vars", "etcd.heartbeat=150")


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The default site with two members of etcd."""
    made = tmp_path_factory.mktemp("two") / "lab"
    shutil.copytree(LAB_INVENTORY, made)
    hosts = made / "hosts.yml"
    before, etcd, after = re.split(r"(?ms)^(    etcd:.*?)(?=^    \w)", hosts.read_text())
    hosts.write_text(before + etcd.replace(f"        {THIRD}:\n", "") + after)
    return made


@pytest.fixture(scope="module")
def site(two: Path) -> Iterator[Typed]:
    """That site, deployed from bare."""
    with deployed_site(Typed(NAME), words=("--inventory", str(two))) as made:
        yield made


def voters(site: Typed) -> list[str]:
    """The members that run and may vote."""
    rows = [line.split(", ") for line in site.on("hdss7-21", f"{CTL} member list").splitlines()]
    return sorted(row[2] for row in rows if row[1] == "started" and row[5] == "false")


def changed(site: Typed, *words: str, row: str = "", after: str = "") -> Ended:
    """A deploy with clients asking, who notice nothing. row: of docs/reliability.md; after: what is true then."""
    with clients(NAME) as prober:
        ended = site.invoke("deploy", *words)
        receipt = prober.receipt()
    assert ended.code == 0, str(ended)
    assert unharmed(receipt), receipt
    if row:
        years.note(row, " ".join(("invoke deploy", *words)), receipt, after)
    return ended


@pytest.mark.core
def test_a_third_member_joins_as_a_learner_and_nobody_notices(site: Typed) -> None:
    before = site.on("hdss7-21", PID.format("21"))
    planned = site.invoke("plan")
    assert "EtcdMember etcd-server-7-22" in planned.output, str(planned)
    changed(site, row=years.MEMBER_JOINS, after="three members vote; the two that ran were not restarted")
    assert voters(site) == ["etcd-server-7-11", "etcd-server-7-21", "etcd-server-7-22"]
    assert site.on("hdss7-21", PID.format("21")) == before, "a member that ran was restarted"


def test_a_member_is_not_restarted_while_that_costs_the_quorum(site: Typed) -> None:
    site.on("hdss7-11", "supervisorctl stop etcd-server-7-11")
    before = site.on("hdss7-21", PID.format("21"))
    refused = site.invoke("deploy", "--limit", "hdss7-21", *HEARTBEAT)
    assert refused.code == 1, str(refused)
    said = " ".join((refused.output + refused.errors).split())
    assert re.search(r"of the other 2 only 1 would remain, a quorum is 2\. No answer from: 10\.4\.7\.11:2379", said), (
        said
    )
    assert site.on("hdss7-21", PID.format("21")) == before


def test_members_that_are_down_are_started_before_others_are_restarted(site: Typed) -> None:
    changed(site, *HEARTBEAT)
    assert len(voters(site)) == 3
    assert site.invoke("plan", *HEARTBEAT).code == 0


def test_a_member_whose_disk_was_lost_is_replaced(site: Typed) -> None:
    site.on(THIRD, "supervisorctl stop etcd-server-7-22; rm -rf /data/etcd/etcd-server")
    planned = site.invoke("plan")
    assert "replace this member, whose data is gone: removed, then added anew" in planned.output, str(planned)
    changed(site, row=years.MEMBER_LOST, after="three members vote, the one that was lost is a new one")
    assert len(voters(site)) == 3
    assert site.invoke("plan").code == 0


def test_a_member_without_data_begins_no_cluster_of_its_own(site: Typed) -> None:
    site.on(THIRD, "supervisorctl stop etcd-server-7-22; rm -rf /data/etcd/etcd-server/member")
    said = site.on(THIRD, "supervisorctl start etcd-server-7-22 2>&1; true")
    assert "ERROR" in said
    assert "a deploy makes this a member again" in site.on(THIRD, "tail -n 3 /data/logs/etcd-server/etcd.stdout.log")
    assert len(voters(site)) == 3, "it is listed still, and does not answer"
    changed(site)
    assert site.invoke("plan").code == 0


REPLACED = ("EtcdMember etcd-server-7-22", "Program etcd-server-7-22", "Command let etcd's member vote")


def test_a_member_is_replaced_though_the_controller_dies_in_each_step(site: Typed) -> None:
    site.on(THIRD, "supervisorctl stop etcd-server-7-22; rm -rf /data/etcd/etcd-server")
    reached = interrupted.until_ended(NAME, "{}")
    assert {(THIRD, resource) for resource in REPLACED} <= reached
    assert len(voters(site)) == 3
    assert site.invoke("plan").code == 0


@pytest.mark.parametrize("resource", REPLACED)
def test_a_member_is_replaced_though_the_power_is_cut_in_a_step(site: Typed, resource: str) -> None:
    site.on(THIRD, "supervisorctl stop etcd-server-7-22; rm -rf /data/etcd/etcd-server")
    cut = interrupted.deploy(NAME, "{}", THIRD, resource)
    assert not cut.ended, f"{resource} was never begun: {cut.steps}"
    deployed = site.invoke("deploy")
    assert deployed.code == 0, str(deployed)
    assert len(voters(site)) == 3


def test_a_member_that_was_removed_by_hand_joins_again(site: Typed) -> None:
    listed = site.on("hdss7-21", f"{CTL} member list")
    (member,) = re.findall(r"(?m)^(\w+), started, etcd-server-7-22,", listed)
    # refused until all have been well for 5 s (etcd's HealthInterval)
    site.on("hdss7-21", f"until {CTL} member remove {member} 2>&1; do sleep 1; done")
    planned = site.invoke("plan")
    assert "join the members again: this one was removed" in planned.output, str(planned)
    changed(site)
    assert len(voters(site)) == 3


@pytest.fixture(scope="module")
def snapshot(site: Typed) -> Path:
    """A snapshot on the controller, taken while there was a ConfigMap named `kept`."""
    site.on("hdss7-21", f"{KUBECTL} create configmap kept --from-literal=a=1")
    taken = site.invoke("etcd.backup", "--json")
    assert taken.code == 0, str(taken)
    return Path(json.loads(taken.output)["snapshot"]["file"])


@pytest.mark.core
def test_a_backup_is_a_checked_file_for_its_owner_only(snapshot: Path) -> None:
    assert snapshot.stat().st_mode & 0o777 == 0o600
    assert snapshot.parent.stat().st_mode & 0o777 == 0o700
    assert Snapshot.of(snapshot.name)
    check(snapshot)


def test_a_damaged_snapshot_is_refused(site: Typed, snapshot: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.db"
    content = bytearray(snapshot.read_bytes())
    content[5000] ^= 1
    damaged.write_bytes(content)
    refused = site.invoke("etcd.restore", "--snapshot", str(damaged), "--yes")
    assert refused.code == 4, str(refused)
    assert "is no whole snapshot of etcd" in refused.errors


@pytest.mark.core
def test_all_data_lost_is_restored_while_workloads_answer(site: Typed, snapshot: Path) -> None:
    site.on("hdss7-21", f"{KUBECTL} create configmap late --from-literal=a=1")
    with clients(NAME) as prober:
        for host in ("hdss7-11", "hdss7-21", "hdss7-22"):
            site.on(host, "rm -rf /data/etcd/etcd-server/*")
        restored = site.invoke("etcd.restore", "--snapshot", snapshot.name, "--yes")
        receipt = prober.receipt()
    assert restored.code == 0, str(restored)
    assert unharmed(receipt), receipt
    years.note(
        years.ETCD_LOST,
        "invoke etcd.restore --snapshot FILE --yes",
        receipt,
        "every object of the snapshot, three members that vote",
    )
    found = site.on("hdss7-21", f"{KUBECTL} get configmap -o name").split()
    assert "configmap/kept" in found
    assert "configmap/late" not in found
    assert voters(site) == ["etcd-server-7-11", "etcd-server-7-21", "etcd-server-7-22"]


def test_every_promise_is_kept_after_the_restore(site: Typed) -> None:
    verified = site.invoke("verify")
    assert verified.code == 0, str(verified)
    assert site.invoke("plan").code == 0


def test_a_full_database_is_named_and_a_larger_quota_makes_room(site: Typed) -> None:
    small, larger = (("--extra-vars", f"etcd.quota={size}") for size in (40_000_000, 60_000_000))
    changed(site, *small)
    fill = f"head -c 1000000 /dev/urandom | base64 -w 0 | {CTL} put /t-etcd/filler 2>&1"
    said = site.on("hdss7-21", f"n=0; until {fill} | grep 'space exceeded' || [ $n -gt 100 ]; do n=$((n+1)); done")
    assert "space exceeded" in said
    verified = site.invoke("verify", "-k", "test_etcd", *small)
    assert verified.code == 1, str(verified)
    assert "the alarm NOSPACE is raised, nothing can be written" in verified.output + verified.errors
    planned = site.invoke("plan", *larger)
    assert "the alarm NOSPACE is raised: compact" in planned.output, str(planned)
    changed(site, *larger, row=years.ETCD_FULL, after="databases defragmented, the alarm taken back, objects written")
    site.on("hdss7-21", f"{KUBECTL} create configmap there-is-room")
    verified = site.invoke("verify", "-k", "test_etcd", *larger)
    assert verified.code == 0, str(verified)


def test_a_member_that_leaves_the_group_is_removed_by_prune(site: Typed, two: Path) -> None:
    planned = site.invoke("plan", "--inventory", str(two))
    assert "etcd-server-7-22 (https://10.4.7.22:2380): no host of group etcd" in planned.output, str(planned)
    changed(site, "--inventory", str(two))
    assert len(voters(site)) == 3, "removed without --prune"
    changed(site, "--inventory", str(two), "--prune")
    assert voters(site) == ["etcd-server-7-11", "etcd-server-7-21"]
    assert "RUNNING" not in site.on(THIRD, "supervisorctl status etcd-server-7-22; true")
    planned = site.invoke("plan", "--inventory", str(two))
    assert planned.code == 0, str(planned)
