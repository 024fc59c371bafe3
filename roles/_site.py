"""What several roles need to know of the site: the variables under `site:`."""

from __future__ import annotations

import msgspec

from provision.inventory.changes import Free, Once, Rolled
from provision.inventory.types import (
    Address,
    Domain,
    ImageReference,
    Name,
    Network,
    OptionalAddress,
    OptionalLocalPath,
    OptionalNetwork,
    OptionalSha256,
    OptionalUrl,
    Port,
    PortRange,
    Sha256,
    Url,
    Version,
)


class Binary(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An executable that hosts fetch."""

    url: Rolled[Url]  # where hosts fetch it
    sha256: Rolled[Sha256]  # its SHA-256


class Image(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A container image. With url and sha256 it is imported from an archive; without, nodes pull it by name."""

    name: Rolled[ImageReference]  # as manifests write it
    url: Rolled[OptionalUrl] = ""  # its archive; '': nodes pull it by name
    sha256: Rolled[OptionalSha256] = ""  # the archive's SHA-256


class SiteSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Defaults are the course's; where it was mended: docs/differences-from-the-course.md."""

    domain: Free[Domain] = "od.com"  # what users ask for: *.od.com; the names of an earlier one end
    host_domain: Once[Domain] = "host.com"  # the hosts' own zone; nodes are named in it
    vip: Rolled[OptionalAddress] = ""  # where *.od.com and the API point to; '': the first edge's address
    vip_elsewhere: Free[bool] = False  # True: something outside the inventory holds vip, such as a load balancer
    managed: Once[bool] = True  # False: Kubernetes exists already, only the course's part is installed
    cluster_domain: Once[Domain] = "cluster.local"  # names inside the cluster end so
    cluster_cidr: Once[Network] = "172.7.0.0/16"  # pods; 172.7.21.0/24 on the host whose address ends in 21
    service_cidr: Once[Network] = "192.168.0.0/16"  # services' addresses
    host_cidr: Free[OptionalNetwork] = ""  # the hosts' own, only to refuse what overlaps it; '': the /24 around each
    cluster_dns: Once[Address] = "192.168.0.2"  # CoreDNS's address, in service_cidr
    node_ports: Rolled[PortRange] = "3000-29999"  # the apiserver's --service-node-port-range
    api_port: Once[Port] = 7443  # the edge's stream proxy to every apiserver
    traefik_port: Once[Port] = 81  # hostPort of Traefik on every node
    kubernetes: Rolled[Version] = "1.34.4"  # the version of its programs
    pki: Free[OptionalLocalPath] = ""  # the controller's folder of keys, one CA for ever; '': pki beside the inventory
    binaries: Rolled[dict[Name, Binary]] = {}  # programs of Kubernetes, by name
    images: Rolled[dict[Name, Image]] = {}  # what pods run, by name
