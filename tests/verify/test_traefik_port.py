"""Traefik's port on the nodes, where the edge asks for passwords or knows networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provision.verify.checks import Checking, Node, NotHere, Place, check, gather
from provision.verify.commands import Reply, http
from roles.traefik_port import closed

if TYPE_CHECKING:
    from roles._site import SiteSettings


@check
def test_closed(node: Node, site: SiteSettings, outside: Place) -> Checking:
    """nobody but the edges and the node itself reaches Traefik past the edge"""
    if not closed(node.host):
        raise NotHere("no name of the site asks for a password or knows networks")
    ask = http(f"http://{node.address}:{site.traefik_port}/dashboard/", host=f"traefik.{site.domain}")
    others = [other for other in node.group("nodes") if other != node and other not in node.group("edge")]
    own, *edges = yield from gather([node.sh(ask), *(edge.sh(ask) for edge in node.group("edge"))])
    for name, reply in zip(
        ("the node", *(e.name for e in node.group("edge"))), map(Reply.of, (own, *edges)), strict=True
    ):
        assert reply.status == 200, f"{name} is kept out: {reply}"
    strangers = [outside, *others]
    answers = yield from gather(place.sh(ask) for place in strangers)
    let_in = [p.name for p, reply in zip(strangers, map(Reply.of, answers), strict=True) if reply.status]
    assert not let_in, f"port {site.traefik_port} answers {', '.join(let_in)} too"
