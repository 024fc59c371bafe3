"""What a step to another version of Kubernetes may not be, for each of its programs, and what comes before it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from provision.resources.kubernetes.etcd import SNAPSHOTS, snapshot
from provision.resources.kubernetes.version import KubernetesVersion, Wanted
from roles._cluster import API_PORT, CERT, address_of, members
from roles._component import UNITS

if TYPE_CHECKING:
    from provision.inventory import Host
    from roles._site import SiteSettings


def version(host: Host, site: SiteSettings, of: str, unit: str = "") -> KubernetesVersion:
    """The step of a program of the control plane. unit: its file under supervisord, if not `of`."""
    wanted = Wanted(site.kubernetes, host.origin("site", "kubernetes"))
    return KubernetesVersion(of=of, unit=f"{UNITS}/{unit or of}.conf", wanted=wanted)


def api_version(host: Host, site: SiteSettings, etcd: str) -> KubernetesVersion:
    """The API server's. etcd: its members' URLs, as the program's flag wants them; one gives a snapshot before."""
    made = version(host, site, "kube-apiserver")
    file = f"{SNAPSHOTS}/before-v{site.kubernetes}.db"
    return replace(
        made,
        before=snapshot(file, etcd.split(","), CERT),
        says=f"after a snapshot of etcd to {file}",
    )


def node_version(host: Host, site: SiteSettings, of: str, unit: str = "") -> KubernetesVersion:
    """A node's program: never newer than an API server."""
    masters = members(host, "masters")
    limit = host.inventory.limit
    within = {each.name for each in host.inventory.select(limit)} if limit else {master.name for master in masters}
    return replace(
        version(host, site, of, unit),
        not_before={master.name: f"https://{address_of(master)}:{API_PORT}" for master in masters},
        outside=frozenset(master.name for master in masters) - within,
    )
