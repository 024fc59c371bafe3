"""What several roles need to know of the site: the variables under `site:`."""

from __future__ import annotations

import msgspec

from provision.inventory.settings import Port


class Binary(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An executable that hosts fetch: where, and its SHA-256."""

    url: str
    sha256: str


class Image(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A container image. With url and sha256 it is imported from an archive; without, nodes pull it by name."""

    name: str
    url: str = ""
    sha256: str = ""


class SiteSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Defaults are the course's; where it was mended: docs/differences-from-the-course.md."""

    domain: str = "od.com"  # what users ask for: *.od.com
    host_domain: str = "host.com"  # the hosts' own zone
    vip: str = ""  # where *.od.com and the API point to; '': the first edge's address
    managed: bool = True  # False: Kubernetes exists already, only the course's part is installed
    cluster_domain: str = "cluster.local"
    cluster_cidr: str = "172.7.0.0/16"  # pods; 172.7.21.0/24 on the host whose address ends in 21
    service_cidr: str = "192.168.0.0/16"
    host_cidr: str = ""  # the hosts' own network, only to refuse what overlaps it; '': the /24 around each address
    cluster_dns: str = "192.168.0.2"
    node_ports: str = "3000-29999"  # the apiserver's --service-node-port-range
    api_port: Port = 7443  # the edge's stream proxy to every apiserver
    traefik_port: Port = 81  # hostPort of Traefik on every node
    kubernetes: str = "1.34.4"
    pki: str = ""  # keys and certificates on the controller; '': <inventory>/pki
    binaries: dict[str, Binary] = {}
    images: dict[str, Image] = {}
