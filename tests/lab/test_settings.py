"""Settings that are fixed once there is a cluster: on a deployed site another value is refused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from provision.inventory.changes import Changes
from tests.lab.conftest import LAB_INVENTORY
from tests.lab.running import Ended
from tests.lab.typed import HOSTS, invoke
from tests.unit.provision.inventory.test_changes import EVERY

pytestmark = pytest.mark.usefixtures("site")

EDGE, FIRST, SECOND = HOSTS
NODES = (FIRST, SECOND)
# setting -> what else is written with it, the other value, the live one, and the hosts that show it
ONCE: Mapping[str, tuple[tuple[str, ...], str, str, tuple[str, ...]]] = {
    "site.host_domain": ((), "other.test", "host.com", NODES),
    "site.managed": (("kube_proxy.kubeconfig_path=/root/kubeconfig",), "false", "true", NODES),
    "site.cluster_domain": ((), "other.test", "cluster.local", NODES),
    "site.cluster_cidr": ((), "172.8.0.0/16", "172.7.0.0/16", NODES),
    "site.service_cidr": (("site.cluster_dns=10.96.0.2",), "10.96.0.0/12", "192.168.0.0/16", NODES),
    "site.cluster_dns": ((), "192.168.0.10", "192.168.0.2", NODES),
    "site.api_port": ((), "8443", "7443", HOSTS),
    "site.traefik_port": ((), "8081", "81", (EDGE, FIRST)),  # Traefik is declared on the first master
    "etcd.data": ((), "/srv/etcd", "/data/etcd/etcd-server", HOSTS),
    "kubelet.root": ((), "/srv/kubelet", "/data/kubelet", NODES),
    "kubelet.cgroup_driver": ((), "systemd", "cgroupfs", NODES),
    "containerd.systemd_cgroup": ((), "true", "false", NODES),
    "containerd.snapshotter": ((), "native", "overlayfs", NODES),
    "cni.bridge": ((), "br0", "cni0", NODES),
    "traefik.kind": ((), "Deployment", "DaemonSet", (FIRST,)),
}
ON_ONE_HOST = ("cni.subnet",)  # two nodes can't have the same


def refused(ended: Ended, setting: str, other: str, live: str, host: str) -> str:
    """The line that a host's refusal names. The test fails where the host does not refuse the setting."""
    assert ended.code == 4, str(ended)
    error = ended.document["hosts"][host]["error"]
    assert error, str(ended)
    assert error["what"].startswith(f"{setting} is fixed in this cluster"), error
    assert error["found"].endswith(f" has {live}, the inventory says {other}"), error
    assert error["do"].startswith(f"Write {setting}: {live}. "), error
    return str(error["line"])


def test_every_setting_that_is_fixed_is_tried_here() -> None:
    assert {each.name for each in EVERY if each.changes is Changes.ONCE} == {*ONCE, *ON_ONE_HOST}


@pytest.mark.parametrize("setting", ONCE)
def test_another_value_is_refused_by_each_host_that_shows_it(setting: str) -> None:
    also, other, live, hosts = ONCE[setting]
    words = [word for each in (f"{setting}={other}", *also) for word in ("--extra-vars", each)]
    planned = invoke("plan", "--json", *words)
    for host in hosts:
        assert refused(planned, setting, other, live, host) == "--extra-vars"
    assert {name for name, host in planned.document["hosts"].items() if host["error"]} == set(hosts)


def test_another_pod_network_of_one_node_is_refused(tmp_path: Path) -> None:
    also = tmp_path / "also.yml"
    also.write_text(f"all:\n  hosts:\n    {SECOND}:\n      cni: {{subnet: 172.7.122.0/24}}\n")
    planned = invoke("plan", "--json", "--inventory", str(LAB_INVENTORY), "--inventory", str(also))
    line = refused(planned, "cni.subnet", "172.7.122.0/24", "172.7.22.0/24", SECOND)
    assert line.endswith("also.yml:4")


def test_a_refused_deploy_changes_nothing_whatever_its_tags() -> None:
    words = ("--tags", "resolver", "--extra-vars", "site.cluster_domain=other.test", "--extra-vars", "bind.ttl=61")
    deployed = invoke("deploy", "--json", *words)
    refused(deployed, "site.cluster_domain", "other.test", "cluster.local", FIRST)
    assert deployed.changes == set()


def test_the_site_is_as_declared_after_all_refusals() -> None:
    planned = invoke("plan", "--json")
    assert planned.code == 0, str(planned)
    assert planned.changes == set()
