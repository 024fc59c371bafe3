"""What runs pods on a node."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import msgspec

from provision.inventory.changes import Free, Once, Rolled
from provision.inventory.types import Argument, Fields, FilePath, Natural, Positive
from provision.resources import Directory, File, FixedSetting, RegisteredNode, Resource, Template
from provision.resources.kubernetes.registration import NodeApi
from roles import _certificates
from roles._cluster import address_of, api_url, folders, held, node_name, numbered
from roles._component import component
from roles._fixed import api_port, field, flag, in_program, node_domain
from roles._flags import LOGIN, VERBOSITY, check_flags, names
from roles._kubeconfig import kubeconfig
from roles._version import node_version

if TYPE_CHECKING:
    from provision.inventory import Host
    from roles._site import SiteSettings

# the time at which kubelet last called the node Ready, out of a Node in JSON without spaces
HEARD = r's/.*"type":"Ready","status":"True","lastHeartbeatTime":"\([^"]*\)".*/\1/p'


FIELDS = {  # of KubeletConfiguration
    "cgroupDriver": "kubelet.cgroup_driver",
    "clusterDNS": "site.cluster_dns",
    "clusterDomain": "site.cluster_domain",
    "resolvConf": "kubelet.resolv_conf",
}
INSTEAD = {
    **VERBOSITY,
    **LOGIN,
    "config": "kubelet.config",
    "root-dir": "kubelet.root",
    "hostname-override": "the host's name in the inventory, with site.host_domain",
    "node-ip": "the host's ansible_host",
    "cgroup-driver": FIELDS["cgroupDriver"],
    "cluster-dns": FIELDS["clusterDNS"],
    "cluster-domain": FIELDS["clusterDomain"],
    "resolv-conf": FIELDS["resolvConf"],
}


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Variables of the kubelet role, all under `kubelet:`. The defaults fit systemd with cgroup v2."""

    root: Once[FilePath] = "/data/kubelet"  # kubelet's own folder: pods' volumes
    cgroup_driver: Once[Literal["systemd", "cgroupfs"]] = "systemd"  # as containerd.systemd_cgroup
    resolv_conf: Rolled[FilePath] = "/etc/resolv.conf"  # what pods with dnsPolicy Default get
    config: Rolled[Fields] = {}  # further fields of KubeletConfiguration
    verbosity: Rolled[Natural] = 2  # of the log
    arguments: Rolled[tuple[Argument, ...]] = ()  # further flags, as the program takes them
    ready_timeout: Free[Positive] = 90  # seconds until the API says that the node is Ready


def kubelet(host: Host, site: SiteSettings, settings: Settings) -> Iterator[Resource]:
    """kube-kubelet-7-21 under supervisord; done when the API calls the node Ready."""
    if not site.managed:
        return
    check_flags(host, ("kubelet", "arguments"), names(settings.arguments), INSTEAD)
    check_flags(host, ("kubelet", "config"), settings.config, FIELDS)
    folder = folders(site)
    identity = _certificates.kubelet(host, site)
    pair = _certificates.files(host, site, identity, "kubelet")
    login = File(
        path=f"{folder.conf}/kubelet.kubeconfig",
        content=kubeconfig(host, site, identity.name),
        mode="0600",
        secret=True,
    )
    config = File(path=f"{folder.conf}/kubelet.yaml", content=Template("kubelet/kubelet.yaml.j2", cert=folder.cert))
    yield from _fixed(host, site, settings)
    step = node_version(host, site, "kubelet", "kube-kubelet")
    yield replace(step, on_cgroup_v1=settings.config.get("failCgroupV1") is False, containerd=True)
    yield Directory(path=settings.root)
    yield from held(host, site, "kubelet")
    yield from (*pair, login, config)
    api = node_api(host, site)
    ask = f"{api.curl} -fs -m 2 {api.node}"
    parts = tuple(
        component(
            host,
            site,
            "kubelet",
            program="kube-kubelet",
            arguments=(
                f"--config={config.path}",
                f"--kubeconfig={login.path}",
                f"--hostname-override={api.name}",
                f"--node-ip={address_of(host)}",
                f"--root-dir={settings.root}",
                f"--v={settings.verbosity}",
                *settings.arguments,
            ),
            reads=(_certificates.trusted(host, site), *pair, login, config),
            # its own /healthz says nothing of the node, and what an earlier kubelet said of it holds for 50 s: the API
            # has to have heard from this one
            ready=f"curl -fs -m 2 http://127.0.0.1:10248/healthz && t=$({ask} | sed -n '{HEARD}') && "
            '[ -n "$t" ] && [ ! "$t" \\< "$began" ]',
            ready_timeout=settings.ready_timeout,
            diagnose=f"echo 'the node, as the API sees it:'; {ask} | grep -o '{{\"type\":\"[^}}]*}}' || "
            f"echo {shlex.quote(f'no answer from {api.url}')}",
        )
    )
    yield from parts
    program = numbered("kube-kubelet", host)
    yield RegisteredNode(api=api, kubelet=program, restart_on=parts[-1:], timeout=settings.ready_timeout)


def node_api(host: Host, site: SiteSettings) -> NodeApi:
    """How the host asks for its own Node: with kubelet's login."""
    cert = folders(site).cert
    curl = f"curl --cacert {cert}/ca.pem --cert {cert}/kubelet.pem --key {cert}/kubelet-key.pem"
    return NodeApi(node_name(host, site), api_url(host, site), curl)


def _fixed(host: Host, site: SiteSettings, settings: Settings) -> Iterator[FixedSetting]:
    """What the node is known by, where its pods keep their files, and what they were told of the cluster."""
    program = "kube-kubelet"
    yield from node_domain(host, site, program)
    yield api_port(host, site, program)
    yield in_program(host, "kubelet.root", settings.root, program, flag("root-dir"))
    told = {
        "site.cluster_dns": (site.cluster_dns, field("clusterDNS")),
        "site.cluster_domain": (site.cluster_domain, field("clusterDomain")),
        "kubelet.cgroup_driver": (settings.cgroup_driver, field("cgroupDriver")),
    }
    for setting, (value, where) in told.items():
        yield in_program(host, setting, value, program, flag("config"), where)
