"""Which keys and certificates a cluster has, and the files that they become on a host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provision.home import expanded
from provision.resources import File
from roles import _authority
from roles._authority import Store
from roles._cluster import CERT, api_service, entrance, folders, members, node_name
from roles._rotation import phase_of
from roles._trust import TrustedAuthority
from roles._x509 import Certificate

if TYPE_CHECKING:
    from provision.inventory import Host, Inventory
    from roles._site import SiteSettings

LOCAL = "127.0.0.1"
CLIENTS = (  # who they are is what RBAC's own bindings name (Kubernetes, "Default roles and role bindings")
    Certificate("client", "kube-apiserver-etcd-client"),
    Certificate("apiserver-kubelet-client", "kube-apiserver-kubelet-client"),
    Certificate("admin", "kubernetes-admin", "system:masters"),
    Certificate("kube-controller-manager", "system:kube-controller-manager"),
    Certificate("kube-scheduler", "system:kube-scheduler"),
    Certificate("kube-proxy-client", "system:kube-proxy"),
    # a CA of its own: whoever has a certificate of the other one must not be taken for the aggregator
    Certificate("front-proxy-client", "front-proxy-client", authority="front-proxy-ca"),
)


def store(inventory: Inventory, site: SiteSettings) -> Store:
    """The folder of the site's keys: site.pki (relative to the inventory), or <inventory>/pki."""
    return _authority.at(inventory.directory / expanded(site.pki or "pki"), phase_of(inventory))


def apiserver(host: Host, site: SiteSettings) -> Certificate:
    """What every apiserver shows, whichever name or address it was asked by."""
    masters = members(host, "masters")
    service = "kubernetes.default.svc"
    names = (
        *(str(api_service(site)), LOCAL, entrance(host, site)),
        *(edge.address for edge in members(host, "edge")),
        *(master.address for master in masters),
        *("localhost", "kubernetes", "kubernetes.default", service, f"{service}.{site.cluster_domain}"),
        *(node_name(master, site) for master in masters),
    )
    return Certificate("apiserver", "kube-apiserver", names=tuple(dict.fromkeys(names)), server=True, client=False)


def etcd(host: Host, site: SiteSettings) -> Certificate:
    """A member's: server for clients, both ends between peers."""
    names = (LOCAL, host.address, "localhost", node_name(host, site))
    return Certificate(f"etcd-peer-{host.name}", node_name(host, site), names=names, server=True)


def kubelet(host: Host, site: SiteSettings) -> Certificate:
    """A node's: server for the apiserver, client of it as the Node authorizer wants it."""
    name = node_name(host, site)
    names = (host.address, name)
    return Certificate(f"kubelet-{host.name}", f"system:node:{name}", "system:nodes", names, server=True)


def every(inventory: Inventory, site: SiteSettings) -> tuple[Certificate, ...]:
    """All certificates of the site."""
    any_host = inventory.hosts[0]
    return (
        apiserver(any_host, site),
        *CLIENTS,
        *(etcd(member, site) for member in members(any_host, "etcd")),
        *(kubelet(node, site) for node in members(any_host, "nodes")),
    )


def named(inventory: Inventory, site: SiteSettings, name: str) -> Certificate:
    """The certificate of that name."""
    return next(certificate for certificate in every(inventory, site) if certificate.name == name)


def trusted(host: Host, site: SiteSettings, path: str = "") -> TrustedAuthority:
    """The file of the CAs that programs of a host trust. path: '' is where those of Kubernetes read them."""
    keys = store(host.inventory, site)
    return TrustedAuthority(
        path=path or f"{folders(site).cert}/ca.pem",
        in_use="" if path else f"{CERT}/ca.pem",
        content=keys.authority("ca"),
        known=keys.known("ca"),
        introduced=keys.introduced("ca"),
    )


def files(
    host: Host, site: SiteSettings, wanted: Certificate, name: str = "", directory: str = "", owner: str = "root"
) -> tuple[File, File]:
    """Certificate and key on a host: <directory>/<name>.pem and <name>-key.pem.

    name: '' as on the controller. directory: '' is that of the version of Kubernetes.
    """
    certificate, key = store(host.inventory, site).pair(wanted)
    path = f"{directory or folders(site).cert}/{name or wanted.name}"
    return (
        File(path=f"{path}.pem", content=certificate, owner=owner, group=owner),
        File(path=f"{path}-key.pem", content=key, owner=owner, group=owner, mode="0600", secret=True),
    )
