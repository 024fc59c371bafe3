"""The site's names asked through its edge: by https where the edge speaks it, because http only leads there then."""

from __future__ import annotations

from collections.abc import Mapping

from provision.inventory.settings import SITE, bind
from provision.verify.checks import Node, NotHere, Place
from provision.verify.commands import http
from roles._edge_sites import HEALTH
from roles._site import SiteSettings
from roles.edge import Settings
from roles.traefik_port import closed


def edge_settings(node: Node) -> Settings:
    """The settings of the site's first edge; the defaults where it has none."""
    edges = node.group("edge")
    return bind(Settings, edges[0].host, "edge") if edges else Settings()


def is_closed(node: Node, name: str) -> bool:
    """Whether not everybody may ask for a name of the site."""
    domain = bind(SiteSettings, node.host, SITE).domain
    return any(name == f"{label}.{domain}" and its.closed for label, its in edge_settings(node).sites.items())


def site_url(node: Node, name: str, path: str = "/") -> str:
    """Where a name of the site is asked for. Raises NotHere for one that not everybody may ask for."""
    if is_closed(node, name):
        raise NotHere(f"not everybody may ask for {name}: see edge.sites")
    return f"{_scheme(node)}://{name}{path}"


def asked(node: Node, name: str, path: str = "/", headers: Mapping[str, str] | None = None, address: str = "") -> str:
    """The command that asks for a name of the site. address: of an edge, if not where bind leads."""
    return http(site_url(node, name, path), address=address, headers=headers)


def health(node: Node, name: str, path: str, address: str = "") -> str:
    """The command that asks for the status of a name's application, closed or not."""
    if not is_closed(node, name):
        return asked(node, name, path, address=address)
    return f"{http(f'{_scheme(node)}://{name}{HEALTH}', address=address)} -I"


def past_the_edge(node: Node, outside: Place) -> Place:
    """From where nodes are asked past the edge: anywhere, or from an edge where they take nobody else's requests."""
    return node.group("edge")[0] if closed(node.host) else outside


def _scheme(node: Node) -> str:
    return "https" if edge_settings(node).tls.source else "http"
