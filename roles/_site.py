"""What several roles need to know of the site: the variables under `site:`."""

from __future__ import annotations

import msgspec

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
    """An executable that hosts fetch: where, and its SHA-256."""

    url: Url
    sha256: Sha256


class Image(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A container image. With url and sha256 it is imported from an archive; without, nodes pull it by name."""

    name: ImageReference
    url: OptionalUrl = ""
    sha256: OptionalSha256 = ""


class SiteSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Defaults are the course's; where it was mended: docs/differences-from-the-course.md."""

    domain: Domain = "od.com"  # what users ask for: *.od.com
    host_domain: Domain = "host.com"  # the hosts' own zone
    vip: OptionalAddress = ""  # where *.od.com and the API point to; '': the first edge's address
    managed: bool = True  # False: Kubernetes exists already, only the course's part is installed
    cluster_domain: Domain = "cluster.local"
    cluster_cidr: Network = "172.7.0.0/16"  # pods; 172.7.21.0/24 on the host whose address ends in 21
    service_cidr: Network = "192.168.0.0/16"
    host_cidr: OptionalNetwork = ""  # the hosts' own, only to refuse what overlaps it; '': the /24 around each
    cluster_dns: Address = "192.168.0.2"
    node_ports: PortRange = "3000-29999"  # the apiserver's --service-node-port-range
    api_port: Port = 7443  # the edge's stream proxy to every apiserver
    traefik_port: Port = 81  # hostPort of Traefik on every node
    kubernetes: Version = "1.34.4"
    pki: OptionalLocalPath = ""  # keys and certificates on the controller; '': <inventory>/pki
    binaries: dict[Name, Binary] = {}
    images: dict[Name, Image] = {}
