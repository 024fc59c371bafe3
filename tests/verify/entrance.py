"""The site's names asked through its edge: by https where the edge speaks it, because http only leads there then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from provision.inventory.settings import bind
from provision.verify.commands import http
from roles.edge import Settings

if TYPE_CHECKING:
    from provision.verify.checks import Node


def edge_settings(node: Node) -> Settings:
    """The settings of the site's first edge; the defaults where it has none."""
    edges = node.group("edge")
    return bind(Settings, edges[0].host, "edge") if edges else Settings()


def site_url(node: Node, name: str, path: str = "/") -> str:
    """Where a name of the site is asked for."""
    return f"{'https' if edge_settings(node).tls.source else 'http'}://{name}{path}"


def asked(node: Node, name: str, path: str = "/", headers: Mapping[str, str] | None = None, address: str = "") -> str:
    """The command that asks for a name of the site. address: of an edge, if not where bind leads."""
    return http(site_url(node, name, path), address=address, headers=headers)
