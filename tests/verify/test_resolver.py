"""Whom a host asks for names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provision.verify.checks import Checking, Node, check
from roles._cluster import entrance

if TYPE_CHECKING:
    from roles._site import SiteSettings


@check
def test_site_names(node: Node, site: SiteSettings) -> Checking:
    """the site's names lead to its entrance"""
    wanted = entrance(node.host, site)
    answer = yield node.sh(f"getent ahostsv4 traefik.{site.domain}")
    assert answer.text.split()[:1] == [wanted], f"traefik.{site.domain} gave {answer}, and should lead to {wanted}"
