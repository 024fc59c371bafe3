"""Hosts come and go: a third node is added, loses its Node, is reinstalled, leaves alive, and leaves dead."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import commands, disk
from lab.state import Lab
from tests.lab import years
from tests.lab.clients import NODES, clients, unharmed
from tests.lab.conftest import LAB_INVENTORY, ROOT
from tests.lab.faults.testbed import await_none
from tests.lab.running import Ended
from tests.lab.typed import KUBECTL, Typed, deployed_site

NAME, THIRD, ADDRESS, NODE = "t-hosts", "hdss7-24", "10.4.7.24", "hdss7-24.host.com"
WITH, IDLE = (ROOT / "tests" / "lab" / "third" / f"{name}.yml" for name in ("node", "idle"))


class Hosts(Typed):
    """The site, and its commands with one of the inventories in which the third host is something."""

    def with_third(self, what: Path, *words: str) -> Ended:
        return self.invoke(*words, "--inventory", str(LAB_INVENTORY), "--inventory", str(what))

    def kubectl(self, words: str) -> str:
        return self.on("hdss7-21", f"{KUBECTL} --request-timeout=10s {words}")

    def nodes(self) -> dict[str, str]:
        """The Nodes of the cluster, each with its condition Ready."""
        path = '{range .items[*]}{.metadata.name} {.status.conditions[?(@.type=="Ready")].status} {end}'
        words = self.kubectl(f"get nodes -o jsonpath='{path}'").split()
        return dict(zip(words[::2], words[1::2], strict=True))


@pytest.fixture(scope="module")
def site() -> Iterator[Hosts]:
    """The default site of two nodes, deployed from bare."""
    with deployed_site(Hosts(NAME)) as made:
        yield made


@pytest.mark.core
def test_a_new_node_gets_requests_once_it_answers(site: Hosts) -> None:
    commands.up(NAME, [LAB_INVENTORY, WITH], say=lambda _: None)
    planned = site.with_third(WITH, "plan")
    assert f"{THIRD} gets no request before it answers" in planned.output, str(planned)
    with clients(NAME) as prober:
        deployed = site.with_third(WITH, "deploy")
        receipt = prober.receipt()
    years.note(years.NODE_ADDED, "invoke deploy", receipt, "the edge sends to three nodes")
    assert deployed.code == 0, str(deployed)
    assert unharmed(receipt), receipt
    assert site.nodes() == {NODE: "True", **{f"{node}.host.com": "True" for node in NODES}}
    assert f"server {ADDRESS}:81" in site.on("hdss7-11", "grep -v ' down;' /etc/nginx/nginx.conf")
    sent = site.on("hdss7-11", f"grep -c 'node={ADDRESS}:81' /var/log/nginx/nodes.log")
    log = f"grep '{ADDRESS}:81' /var/log/nginx/nodes.log"
    assert int(sent) > 0
    assert site.on("hdss7-11", f"{log} | grep -v ' node=[^ ]* status=200 '; true") == ""
    again = site.with_third(WITH, "plan", "--json")
    assert (again.code, again.changes) == (0, set()), str(again)
    verified = site.with_third(WITH, "verify")
    assert verified.code == 0, str(verified)


def test_a_node_that_somebody_deleted_comes_back(site: Hosts) -> None:
    site.kubectl(f"delete node {NODE} --wait=false")
    planned = site.with_third(WITH, "plan", "--json")
    assert planned.code == 2, str(planned)
    assert (THIRD, f"RegisteredNode {NODE}") in planned.changes
    deployed = site.with_third(WITH, "deploy", "--json")
    years.note(years.NODE_DELETED, "invoke deploy", "not asked", "the Node is back, with its label")
    assert deployed.code == 0, str(deployed)
    assert deployed.changes == planned.changes
    assert site.nodes()[NODE] == "True"
    label = site.kubectl(f"get node {NODE} -o 'jsonpath={{.metadata.labels.hdss7/made-by}}'")
    assert label == "kubelet"
    verified = site.with_third(WITH, "verify")
    assert verified.code == 0, str(verified)


def new_disk(host: str) -> None:
    """Cuts the host's power, and starts it with the disk of a machine fresh from an installer."""
    lab = Lab.named(NAME)
    topology = lab.topology()
    commands.power(NAME, host, False)
    tree = disk.ensure(lab, topology, topology.host(host), Path())
    shutil.rmtree(disk.folder(lab, topology.host(host)))
    (lab.host(host) / "disk.json").unlink()
    disk.ensure(lab, topology, topology.host(host), tree)
    commands.power(NAME, host, True)


def test_a_reinstalled_host_is_a_member_after_one_deploy(site: Hosts) -> None:
    new_disk(THIRD)
    await_none(lambda: "" if site.nodes()[NODE] != "True" else "Ready", 90, f"{NODE} is still")
    with clients(NAME) as prober:
        deployed = site.with_third(WITH, "deploy")
        receipt = prober.receipt()
    years.note(years.REINSTALLED, "invoke deploy", receipt, "as declared")
    assert deployed.code == 0, str(deployed)
    assert unharmed(receipt), receipt
    again = site.with_third(WITH, "plan", "--json")
    assert (again.code, again.changes) == (0, set()), str(again)
    verified = site.with_third(WITH, "verify")
    assert verified.code == 0, str(verified)


def test_a_new_address_of_a_node_is_refused_before_anything_changes(site: Hosts, tmp_path: Path) -> None:
    moved = tmp_path / "moved.yml"
    moved.write_text(WITH.read_text().replace(ADDRESS, "10.4.7.124"))
    deployed = site.with_third(moved, "deploy", "--json")
    assert deployed.code == 4, str(deployed)
    assert deployed.changes == set()
    error = deployed.document["hosts"]["hdss7-21"]["error"]
    assert error["line"].endswith("moved.yml:6")
    assert f"Node {NODE} has {ADDRESS}, the inventory says 10.4.7.124" in error["found"]
    assert re.search(r"take the host out of the inventory.*--prune.*add it under the new address", error["do"])


BUDGET = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: kept, namespace: default}
spec:
  replicas: 1
  selector: {matchLabels: {app: kept}}
  template:
    metadata: {labels: {app: kept}}
    spec:
      nodeSelector: {kubernetes.io/hostname: NODE}
      terminationGracePeriodSeconds: 1
      containers: [{name: kept, image: "lab.local/agnhost:1.34.4", imagePullPolicy: IfNotPresent, args: [pause]}]
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: kept, namespace: default}
spec: {minAvailable: 1, selector: {matchLabels: {app: kept}}}
""".replace("NODE", NODE)
FOREIGN = '{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "stranger"}}'
ORPHANS = {f"File /etc/supervisor/conf.d/{name}.conf" for name in ("kube-kubelet", "kube-proxy")}


def orphans(ended: Ended, host: str) -> set[str]:
    return set(ended.document["hosts"][host].get("no_longer_declared", ()))


def test_an_eviction_that_a_budget_forbids_ends_the_run(site: Hosts) -> None:
    site.on("hdss7-21", f"cat <<'END' | {KUBECTL} apply -f - && {KUBECTL} rollout status deployment kept\n{BUDGET}END")
    words = ("deploy", "--prune", "--extra-vars", "former_nodes.evict_timeout=8")
    with clients(NAME) as prober:
        refused = site.with_third(IDLE, *words)
        receipt = prober.receipt()
    years.note(years.FORBIDDEN, "invoke deploy --prune", receipt, "the node runs, closed to new pods")
    assert unharmed(receipt), receipt
    assert refused.code == 1, str(refused)
    said = " ".join(refused.errors.split())
    assert re.search(rf"hdss7-21, role former_nodes.*not every pod of {NODE} could be evicted within 8 s", said), said
    assert "kept" in said
    assert "hdss7-24: not done: Leftovers node" in refused.output, str(refused)
    assert site.nodes()[NODE] == "True"
    site.on(THIRD, "pgrep -x kubelet")
    site.kubectl("delete deployment,poddisruptionbudget kept")
    returned = site.with_third(WITH, "deploy")
    assert returned.code == 0, str(returned)
    assert site.kubectl(f"get node {NODE} -o 'jsonpath={{.spec.unschedulable}}{{.spec.taints}}'") == ""


@pytest.mark.core
def test_a_node_that_leaves_alive_leaves_nothing_behind(site: Hosts) -> None:
    planned = site.with_third(IDLE, "plan", "--json")
    assert "UndeclaredNodes" in orphans(planned, "hdss7-21"), str(planned)
    assert orphans(planned, THIRD) > {"Leftovers node", *ORPHANS}
    with clients(NAME) as prober:
        deployed = site.with_third(IDLE, "deploy", "--prune")
        receipt = prober.receipt()
    after = "no Node; on the host no program, container, rule, route or file of a node"
    years.note(years.NODE_LEAVES, "invoke deploy --prune", receipt, after)
    assert deployed.code == 0, str(deployed)
    assert unharmed(receipt), receipt
    assert site.nodes() == {f"{node}.host.com": "True" for node in NODES}
    left = site.on(
        THIRD,
        "pgrep -x kubelet; pgrep -x kube-proxy; pgrep -x containerd; pgrep -f '[c]ontainerd-shim';"
        " ip -4 route show root 172.7.0.0/16; ls -d /sys/class/net/cni0 2>/dev/null;"
        " iptables-save | grep -e KUBE- -e CNI- -e MASQUERADE;"
        " ls /etc/cni/net.d /etc/supervisor/conf.d; find /opt/kubernetes* -type f; mount | grep /data/kubelet; true",
    )
    assert left.split() == ["/etc/cni/net.d:", "/etc/supervisor/conf.d:"], left
    for node in NODES:
        assert ADDRESS not in site.on(node, "ip -4 route")
    planned = site.with_third(IDLE, "plan", "--json")
    assert (planned.code, planned.changes) == (0, set()), str(planned)
    assert {host for host in planned.document["hosts"] if orphans(planned, host)} == set()
    verified = site.with_third(IDLE, "verify")
    assert verified.code == 0, str(verified)


def test_a_node_comes_back_with_another_pod_network(site: Hosts, tmp_path: Path) -> None:
    other = tmp_path / "other.yml"
    other.write_text(WITH.read_text().replace(ADDRESS, f"{ADDRESS}, cni: {{subnet: 172.7.124.0/24}}"))
    with clients(NAME) as prober:
        added = site.with_third(other, "deploy")
        receipt = prober.receipt()
    assert added.code == 0, str(added)
    assert unharmed(receipt), receipt
    assert "172.7.124.1/24" in site.on(THIRD, "ip -4 addr show dev cni0")
    pods = f"get pods -A --field-selector=spec.nodeName={NODE}"
    addresses = site.kubectl(f"{pods} -o 'jsonpath={{.items[*].status.podIP}}'")
    assert {address.rpartition(".")[0] for address in addresses.split()} == {"172.7.124"}
    verified = site.with_third(other, "verify")
    assert verified.code == 0, str(verified)


def test_a_dead_host_that_left_the_inventory_is_named_and_taken_out(site: Hosts) -> None:
    commands.power(NAME, THIRD, False)  # it is a node, since the test before
    await_none(lambda: "" if site.nodes()[NODE] != "True" else "Ready", 90, f"{NODE} is still")
    planned = site.invoke("plan", "--json")
    assert orphans(planned, "hdss7-21") == {"UndeclaredNodes", "Leftovers routes to pods"}, str(planned)
    began = time.monotonic()
    deployed = site.invoke("deploy", "--extra-vars", "traefik.log_level=DEBUG")  # it moves every pod of a DaemonSet
    assert deployed.code == 0, str(deployed)
    assert time.monotonic() - began < 150
    assert NODE in site.nodes()
    with clients(NAME) as prober:
        pruned = site.invoke("deploy", "--prune")
        receipt = prober.receipt()
    years.note(years.DEAD_LEAVES, "invoke deploy --prune", receipt, "no Node, and no route to its pods")
    assert pruned.code == 0, str(pruned)
    assert unharmed(receipt), receipt
    assert site.nodes() == {f"{node}.host.com": "True" for node in NODES}
    planned = site.invoke("plan", "--json")
    assert (planned.code, planned.changes, orphans(planned, "hdss7-21")) == (0, set(), set()), str(planned)


def test_a_node_that_others_made_is_named_and_left_alone(site: Hosts) -> None:
    site.on("hdss7-21", f"echo '{FOREIGN}' | {KUBECTL} create -f -")
    planned = site.invoke("plan")
    assert re.search(r"= +hdss7-21 +ForeignNodes +stranger \(not Ready\): not declared.*left alone", planned.output)
    deployed = site.invoke("deploy", "--prune")
    assert deployed.code == 0, str(deployed)
    assert site.kubectl("get node stranger -o name") == "node/stranger"
    site.kubectl("delete node stranger")
