"""Settings that are fixed when a cluster is made: the live value is read back from what roles themselves render."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from provision.errors import Exit
from provision.history.serialize import remember, revive
from provision.inventory.changes import Changes
from provision.plan.plan import Declaration, Item, compare
from provision.playbook.roles import chosen
from provision.resources import ConfigSet, File, FixedSetting, Manifests
from provision.resources.base import AS_DECLARED
from provision.resources.fixed import FixedSettingError
from provision.resources.kubernetes.diff import identity
from provision.resources.kubernetes.fixed import FixedManifests
from tests.unit.conftest import Declared
from tests.unit.machine import Machine
from tests.unit.provision.inventory.test_changes import EVERY

PROGRAMS = ("kube_apiserver", "kubelet", "kube_proxy")
OURS = ("/opt/", "/etc/supervisor/", "/etc/nginx/", "/etc/containerd/", "/etc/cni/", "/usr/local/sbin/")
SERVICES = ("site.service_cidr=10.96.0.0/12", "site.cluster_dns=10.96.0.2")
CONTAINERD, NGINX = "/etc/containerd/config.toml", "/etc/nginx/nginx.conf"
CNI = "/etc/cni/net.d/10-hdss7.conflist"
THEIRS = ("site.managed=false", "kube_proxy.kubeconfig_path=/root/kubeconfig")


@dataclass(frozen=True)
class Case:
    """A setting written otherwise: in which role's resource of which program it is refused, and the value that runs."""

    setting: str
    role: str
    of: str
    written: tuple[str, ...]
    live: str
    deployed: tuple[str, ...] = ()  # further words of the deployed inventory
    host: str = "hdss7-21"

    def __str__(self) -> str:
        return f"{self.setting} of {self.of}"


CASES = (
    Case("site.service_cidr", "kube_apiserver", "kube-apiserver", SERVICES, "192.168.0.0/16"),
    Case("site.cluster_domain", "kube_apiserver", "kube-apiserver", ("site.cluster_domain=x.test",), "cluster.local"),
    Case("site.cluster_domain", "kubelet", "kube-kubelet", ("site.cluster_domain=x.test",), "cluster.local"),
    Case("site.cluster_dns", "kubelet", "kube-kubelet", ("site.cluster_dns=192.168.0.10",), "192.168.0.2"),
    Case(
        "site.cluster_cidr",
        "kube_controller_manager",
        "kube-controller-manager",
        ("site.cluster_cidr=10.0.0.0/16",),
        "172.7.0.0/16",
    ),
    Case("site.cluster_cidr", "cni", "/usr/local/sbin/pod-network", ("site.cluster_cidr=10.0.0.0/16",), "172.7.0.0/16"),
    Case("site.cluster_cidr", "kube_proxy", "kube-proxy", ("site.cluster_cidr=10.0.0.0/16",), "172.7.0.0/16"),
    Case("site.host_domain", "kubelet", "kube-kubelet", ("site.host_domain=x.test",), "host.com"),
    Case("site.host_domain", "kube_proxy", "kube-proxy", ("site.host_domain=com",), "host.com"),
    Case("site.api_port", "kubelet", "kube-kubelet", ("site.api_port=8443",), "7443"),
    Case("site.api_port", "kube_proxy", "kube-proxy", ("site.api_port=8443",), "7443"),
    Case("site.api_port", "edge", NGINX, ("site.api_port=8443",), "7443", host="hdss7-11"),
    Case("site.traefik_port", "edge", NGINX, ("site.traefik_port=8081",), "81", host="hdss7-11"),
    Case("site.managed", "base", "kube-kubelet", THEIRS, "true"),
    Case("site.managed", "base", "kube-apiserver", THEIRS, "true"),
    Case("site.managed", "base", "kube-proxy", (), "false", THEIRS),
    Case("etcd.data", "etcd", "etcd-server", ("etcd.data=/srv/etcd",), "/data/etcd/etcd-server"),
    Case("etcd.data", "etcd", "etcd-server", (), "/srv/a~b", ("etcd.data=/srv/a~b",)),
    Case("kubelet.root", "kubelet", "kube-kubelet", ("kubelet.root=/srv/kubelet",), "/data/kubelet"),
    Case("kubelet.cgroup_driver", "kubelet", "kube-kubelet", ("kubelet.cgroup_driver=systemd",), "cgroupfs"),
    Case(
        "containerd.systemd_cgroup",
        "containerd",
        "/etc/containerd/config.toml",
        ("containerd.systemd_cgroup=true",),
        "false",
    ),
    Case(
        "containerd.snapshotter",
        "containerd",
        "/etc/containerd/config.toml",
        ("containerd.snapshotter=native",),
        "overlayfs",
    ),
    Case("cni.bridge", "cni", CNI, ("cni.bridge=br0",), "cni0"),
    Case("cni.subnet", "cni", CNI, ("site.cluster_cidr=10.0.0.0/16",), "172.7.21.0/24"),
)
# setting: role, name of its Manifests, what is written, the live value, and the spec of the live object
LIVE: Mapping[str, tuple[str, str, str, str, Mapping[str, Any]]] = {
    "traefik.kind": ("traefik", "traefik-other-kind", "traefik.kind=Deployment", "DaemonSet", {}),
    "site.traefik_port": (
        "traefik",
        "traefik",
        "site.traefik_port=8081",
        "81",
        {"template": {"spec": {"containers": [{"ports": [{"name": "controller", "hostPort": 81}]}]}}},
    ),
    "site.cluster_dns": (
        "coredns",
        "coredns",
        "site.cluster_dns=192.168.0.10",
        "192.168.0.2",
        {"clusterIP": "192.168.0.2"},
    ),
}


class Host(Machine):
    """A host that holds what roles render, its folders inside one of the test."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.root = folder / "host"

    def inside(self, text: str) -> str:
        """The text with the paths of this host."""
        for path in OURS:
            text = text.replace(path, f"{self.root}{path}")
        return text

    def deploy(self, resources: Iterable[Any]) -> None:
        """Writes the files of these resources."""
        for resource in resources:
            if isinstance(resource, File):
                self._write(resource.path, resource.content)
            elif isinstance(resource, ConfigSet):
                for name, content in resource.files.items():
                    self._write(f"{resource.directory}/{name}", content)

    def _write(self, path: str, content: Any) -> None:
        file = Path(self.inside(path))
        if str(file).startswith(str(self.root)):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(self.inside(content.decode() if isinstance(content, bytes) else content))

    def outcome(self, resource: FixedSetting) -> Item:
        """The resource compared with this host."""
        look = replace(resource.look, file=self.inside(resource.look.file))
        here = replace(resource, look=look, unless=tuple(map(self.inside, resource.unless)))
        return compare((Declaration(here, "trial", "roles/trial.py:1", 0),), self.answers(here.questions()))[0]


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """A bare host."""
    return Host(tmp_path)


def refusal(host: Host, resource: FixedSetting) -> FixedSettingError:
    with pytest.raises(FixedSettingError) as error:
        host.outcome(resource)
    assert error.value.exit is Exit.BAD_INPUT
    return error.value


@pytest.mark.parametrize("case", CASES, ids=str)
def test_another_value_than_the_live_one_is_refused(case: Case, declared: Declared, host: Host) -> None:
    key = f"FixedSetting {case.setting} of {case.of}"
    same = declared(case.host, case.role, *case.deployed)[key]
    other = declared(case.host, case.role, *case.written)[key]
    assert host.outcome(same).outcome == host.outcome(other).outcome == AS_DECLARED  # there is no cluster yet
    for role in PROGRAMS if case.role == "base" else (case.role,):
        host.deploy(declared(case.host, role, *case.deployed).values())
    assert host.outcome(same).outcome == AS_DECLARED
    said = refusal(host, other).explanation
    assert said.what.startswith(f"{case.setting} is fixed in this cluster")
    assert said.do.startswith(f"Write {case.setting}: {case.live}. ")
    if any(word.startswith(f"{case.setting}=") for word in case.written):
        assert said.line == "--extra-vars"
        assert said.found.endswith(f" has {case.live}, the inventory says {other.fixed.value}")
    else:
        assert said.found.endswith(f" has {case.live}, nothing is written, and the default is {other.fixed.value}")


@pytest.mark.parametrize(
    ("role", "of"), [("kube_apiserver", "kube-apiserver"), ("kubelet", "kube-kubelet"), ("etcd", "etcd-server")]
)
def test_a_host_with_another_address_is_refused(
    declared: Declared, host: Host, tmp_path: Path, role: str, of: str
) -> None:
    host.deploy(declared("hdss7-21", role).values())
    moved = tmp_path / "moved.yml"
    moved.write_text("all:\n  hosts:\n    hdss7-21:\n      ansible_host: 10.5.7.21\n")
    key = f"FixedSetting ansible_host of {of}"
    assert host.outcome(declared("hdss7-21", "base")[key]).outcome == AS_DECLARED
    said = refusal(host, declared("hdss7-21", "base", also=(moved,))[key]).explanation
    assert " has 10.4.7.21, the inventory says 10.5.7.21" in said.found
    assert said.line.endswith("moved.yml:4")
    assert "take the host out of the inventory" in said.do


@pytest.mark.parametrize("setting", LIVE)
def test_an_object_with_another_value_is_refused(setting: str, declared: Declared) -> None:
    role, name, written, live, spec = LIVE[setting]

    def planned(*extra: str) -> tuple[FixedManifests, Mapping[Any, Any]]:
        manifests = declared("hdss7-21", role, *extra, made=False)[f"Manifests {name}"]
        found = {}
        for item in manifests.objects:
            if item["kind"] in ("DaemonSet", "Service"):
                found[identity(item)] = {**item, "spec": {**item.get("spec", {}), **spec}}
        return manifests, {manifests.questions()[0]: found}

    manifests, answers = planned(written)
    with pytest.raises(FixedSettingError) as error:
        compare((Declaration(manifests, role, "roles/trial.py:1", 0),), answers)
    assert error.value.exit is Exit.BAD_INPUT
    assert f" has {live}, the inventory says {written.partition('=')[2]}" in error.value.explanation.found
    compare((Declaration(planned()[0], role, "roles/trial.py:1", 0),), planned()[1])
    compare((Declaration(manifests, role, "roles/trial.py:1", 0),), {manifests.questions()[0]: {}})


@pytest.mark.parametrize(("role", "name"), [("traefik", "traefik"), ("coredns", "coredns")])
def test_a_rollback_of_such_objects_refuses_nothing(role: str, name: str, declared: Declared) -> None:
    manifests = declared("hdss7-21", role, made=False)[f"Manifests {name}"]
    former = revive(remember(manifests), lambda key: None)
    assert type(former) is Manifests
    assert former.key == manifests.key


def test_every_setting_that_is_fixed_is_looked_at() -> None:
    once = {setting.name for setting in EVERY if setting.changes is Changes.ONCE}
    assert once == {case.setting for case in CASES} | set(LIVE)


def test_settings_that_are_fixed_are_looked_at_whatever_the_tags(declared: Declared) -> None:
    resources = declared("hdss7-21", "kubelet", made=False)
    declarations = [Declaration(each, "kubelet", "", 0, frozenset({"kubelet"})) for each in resources.values()]
    for tags, skipped in (({"motd"}, set()), (set(), {"kubelet"})):
        left = chosen(declarations, frozenset(tags), frozenset(skipped))
        assert {type(each.resource) for each in left} == {FixedSetting}


def test_a_file_of_somebody_else_says_nothing_of_the_cluster(declared: Declared, host: Host) -> None:
    for path, text in {
        "/etc/nginx/nginx.conf": "user www-data;\nhttp {\n  server {\n    listen 8080;\n  }\n}\n",
        "/etc/containerd/config.toml": 'version = 2\n      snapshotter = "zfs"\n      SystemdCgroup = true\n',
    }.items():
        host.deploy([File(path=path, content=text)])
    for name, role in {"hdss7-11": "edge", "hdss7-21": "containerd"}.items():
        for resource in declared(name, role).values():
            if isinstance(resource, FixedSetting):
                assert host.outcome(resource).outcome == AS_DECLARED
