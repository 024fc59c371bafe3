"""CoreDNS: the cluster's own names, for pods."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from provision.inventory.changes import Free, Rolled
from provision.inventory.types import Natural, Upstream
from provision.resources import Resource, Rollout, Template
from provision.resources.kubernetes.fixed import FixedField, FixedManifests
from roles._cluster import KUBECTL, members
from roles._fixed import declared
from roles._workloads import authority_digest, image

if TYPE_CHECKING:
    from provision.inventory import Host
    from roles._site import SiteSettings


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Variables of the coredns role, all under `coredns:`."""

    replicas: Rolled[Natural] = 0  # 0: one for each node, two at most
    forward: Free[tuple[Upstream, ...]] = ()  # who is asked for other names; (): the hosts of group dns
    cache: Free[Natural] = 30  # seconds


def coredns(host: Host, site: SiteSettings, settings: Settings) -> Iterator[Resource]:
    """CoreDNS at site.cluster_dns; everything outside site.cluster_domain is asked of the site's BIND."""
    if not site.managed:
        return  # a cluster that stands already has its own
    address = declared(host, "site.cluster_dns", site.cluster_dns)
    objects = FixedManifests(
        name="coredns",
        fixed=(FixedField(address, "Service kube-system/coredns", "spec.clusterIP"),),
        content=Template(
            "coredns/coredns.yaml.j2",
            image=image(host, site, "coredns"),
            authority=authority_digest(host, site),
            replicas=settings.replicas or min(2, len(members(host, "nodes"))),
            forward=settings.forward or tuple(h.address for h in members(host, "dns")) or ("/etc/resolv.conf",),
        ),
        kubectl=KUBECTL,
        version=site.kubernetes,
    )
    yield objects
    yield Rollout(kind="Deployment", namespace="kube-system", name="coredns", kubectl=KUBECTL, of=objects)
