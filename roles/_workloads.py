"""What roles share that put something into the cluster."""

from __future__ import annotations

import hashlib
from shlex import quote
from typing import TYPE_CHECKING

from provision.errors import InputError
from provision.spelling import nearest
from roles._certificates import store
from roles._cluster import members, node_name
from roles.traefik_port import reachable

if TYPE_CHECKING:
    from provision.inventory import Host
    from roles._site import SiteSettings


def image(host: Host, site: SiteSettings, name: str) -> str:
    """The image of that name in site.images, as manifests write it. Raises InputError when the site doesn't say."""
    if name in site.images:
        return site.images[name].name
    near = nearest(name, site.images)
    raise InputError(
        f"site.images has no {name!r}: nothing says what its pods run",
        line=host.origin("site", "images"),
        do=f"Is {near!r} meant?" if near else f"Set site.images.{name}.name",
    )


def node_names(host: Host, site: SiteSettings) -> tuple[str, ...]:
    """The cluster's Nodes as the inventory has them; () for somebody else's cluster, which may have more."""
    return tuple(node_name(node, site) for node in members(host, "nodes")) if site.managed else ()


def authority_digest(host: Host, site: SiteSettings) -> str:
    """Twelve digits that change with the CAs that the site trusts, for an annotation of pods that ask the API: they
    read them once, when they start. '' for a cluster of somebody else's, and before a deploy has made the CA.
    """
    known = store(host.inventory, site).known("ca") if site.managed else b""
    return hashlib.sha256(known).hexdigest()[:12] if known else ""


def routed(host: Host, site: SiteSettings, name: str) -> str:
    """sh that succeeds once no node's Traefik lacks the way to NAME.DOMAIN.

    Traefik takes up what changed every 2 s at most (providersThrottleDuration): pods that are ready are not yet pods
    that are reached. A node on which nothing listens is not this one's to judge.
    """
    url = f"{name}.{site.domain}"
    said = f"%{{http_code}} for {url} from %{{url_effective}}\\n"
    ask = f"curl -s -m 2 -o /dev/null -w {quote(said)} -H {quote(f'Host: {url}')}"
    nodes = reachable(host)
    asked = "; ".join(f"{ask} {quote(f'http://{node.address}:{site.traefik_port}/')}" for node in nodes) or ":"
    # nodes that take the edges' requests alone can't be asked from here: they get the time that they need
    wait = "" if len(nodes) == len(members(host, "nodes")) else "sleep 3; "
    return f"{wait}! {{ {asked}; }} | grep -E '^(404|502|503) '"
