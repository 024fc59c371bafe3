"""The API, on every master; clients reach it through the edge."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from provision.inventory.changes import Free, Rolled
from provision.inventory.types import Argument, Natural, OptionalFilePath, Positive
from provision.resources import File, FixedSetting, Manifests, Package, Resource, Template
from roles._certificates import CLIENTS, apiserver, files, store, trusted
from roles._cluster import API_PORT, KUBECTL, address_of, folders
from roles._component import component, download
from roles._fixed import flag, in_program
from roles._flags import NETWORKS, VERBOSITY, check_flags, names
from roles._kubeconfig import kubeconfig
from roles._networks import check_node_ports
from roles._version import api_version
from roles.etcd import clients

if TYPE_CHECKING:
    from provision.inventory import Host
    from roles._site import SiteSettings

LOCAL = f"https://127.0.0.1:{API_PORT}"  # how a master's own components reach it: not through the edge and back
MINE = {certificate.name: certificate for certificate in CLIENTS}


INSTEAD = {
    **VERBOSITY,
    **NETWORKS,
    "service-node-port-range": "site.node_ports",
    "advertise-address": "the host's ansible_host",
    "etcd-servers": "the group etcd of the inventory",
    "secure-port": "the port as it is: the edge and every kubeconfig lead there",
}


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Variables of the kube_apiserver role, all under `kube_apiserver:`."""

    verbosity: Rolled[Natural] = 2  # of the log
    arguments: Rolled[tuple[Argument, ...]] = ()  # further flags, as the program takes them
    ready_timeout: Free[Positive] = 90  # seconds until /readyz
    kubectl: Free[OptionalFilePath] = "/usr/local/bin/kubectl"  # what root types, as the administrator; '': nothing


def kube_apiserver(host: Host, site: SiteSettings, settings: Settings) -> Iterator[Resource]:
    """kube-apiserver-7-21 under supervisord; kubectl and the administrator's kubeconfig beside it."""
    if not site.managed:
        return
    check_node_ports(host, site)
    check_flags(host, ("kube_apiserver", "arguments"), names(settings.arguments), INSTEAD)
    yield from _fixed(host, site)
    yield Package(names=("etcd-client",))
    yield api_version(host, site, clients(host))
    yield download(site, "kubectl")
    yield File(
        path=f"{folders(site).conf}/admin.kubeconfig",
        content=kubeconfig(host, site, "admin", LOCAL),
        mode="0600",
        secret=True,
    )
    if settings.kubectl:
        yield File(
            path=settings.kubectl, content=Template("kube_apiserver/kubectl.sh.j2", kubectl=KUBECTL), mode="0755"
        )
    reads = tuple(_keys(host, site))
    yield from reads
    yield from component(
        host,
        site,
        "kube-apiserver",
        log="apiserver",
        arguments=(*_arguments(host, site), f"--v={settings.verbosity}", *settings.arguments),
        reads=(trusted(host, site), *reads),
        ready=f"curl -fs -m 2 --cacert {folders(site).cert}/ca.pem {LOCAL}/readyz",
        ready_timeout=settings.ready_timeout,
        stop_seconds=70,  # it lets requests that run end, for up to a minute
    )
    if host == host.group("masters")[0]:
        # without it `kubectl logs` and `exec` are refused by every kubelet: its authorizer asks the API, too
        yield Manifests(
            name="kubelet-api",
            content=Template("kube_apiserver/kubelet-api.yaml.j2"),
            kubectl=KUBECTL,
            version=site.kubernetes,
        )


def _fixed(host: Host, site: SiteSettings) -> Iterator[FixedSetting]:
    """What every Service and every pod's token was made with."""
    program = "kube-apiserver"
    yield in_program(host, "site.service_cidr", site.service_cidr, program, flag("service-cluster-ip-range"))
    issuer = flag("service-account-issuer", ".*[.]svc[.]")
    yield in_program(host, "site.cluster_domain", site.cluster_domain, program, issuer)


def _keys(host: Host, site: SiteSettings) -> Iterator[File]:
    keys, cert = store(host.inventory, site), folders(site).cert
    public, private = keys.service_accounts()
    yield from files(host, site, apiserver(host, site))
    yield from files(host, site, MINE["client"])
    yield from files(host, site, MINE["apiserver-kubelet-client"])
    yield from files(host, site, MINE["front-proxy-client"])
    yield File(path=f"{cert}/front-proxy-ca.pem", content=keys.authority("front-proxy-ca"))
    yield File(path=f"{cert}/sa.pem", content=public)
    yield File(path=f"{cert}/sa-key.pem", content=private, mode="0600", secret=True)


def _arguments(host: Host, site: SiteSettings) -> tuple[str, ...]:
    cert = folders(site).cert
    return (
        f"--advertise-address={address_of(host)}",
        f"--secure-port={API_PORT}",
        "--allow-privileged=true",
        "--profiling=false",
        # told to stop, it ends once short requests are done; without this it waits a minute for its clients' watches
        "--shutdown-send-retry-after=true",
        f"--etcd-servers={clients(host)}",
        f"--etcd-cafile={cert}/ca.pem",
        f"--etcd-certfile={cert}/client.pem",
        f"--etcd-keyfile={cert}/client-key.pem",
        f"--service-cluster-ip-range={site.service_cidr}",
        # contains ports of the hosts themselves (6443, 10250 …): a Service with one of them would take it over
        # (kubernetes#76892), so role nginx_ds refuses those
        f"--service-node-port-range={site.node_ports}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        f"--client-ca-file={cert}/ca.pem",
        f"--tls-cert-file={cert}/apiserver.pem",
        f"--tls-private-key-file={cert}/apiserver-key.pem",
        f"--kubelet-certificate-authority={cert}/ca.pem",
        f"--kubelet-client-certificate={cert}/apiserver-kubelet-client.pem",
        f"--kubelet-client-key={cert}/apiserver-kubelet-client-key.pem",
        "--kubelet-preferred-address-types=InternalIP,Hostname",
        f"--service-account-issuer=https://kubernetes.default.svc.{site.cluster_domain}",
        # the course signs tokens with the CA's key, which then has to lie on every master
        f"--service-account-key-file={cert}/sa.pem",
        f"--service-account-signing-key-file={cert}/sa-key.pem",
        f"--requestheader-client-ca-file={cert}/front-proxy-ca.pem",
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        f"--proxy-client-cert-file={cert}/front-proxy-client.pem",
        f"--proxy-client-key-file={cert}/front-proxy-client-key.pem",
    )
