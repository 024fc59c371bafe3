"""The site's applications, as those who use them see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from provision.verify.checks import Checking, Node, NotHere, Place, check, gather
from provision.verify.commands import Reply, http
from roles._applications import published
from tests.verify.entrance import health, past_the_edge

if TYPE_CHECKING:
    from roles._site import SiteSettings


@check
def test_urls(node: Node, site: SiteSettings, outside: Place) -> Checking:
    """every application answers at its URL, asked from outside"""
    apps = published(node.host, site)
    answers = yield from gather(outside.sh(health(node, app.host, app.path)) for app in apps)
    wrong = [
        f"{app.name}: {app.url} gave {reply}, and should give {app.expect}"
        for app, reply in zip(apps, map(Reply.of, answers), strict=True)
        if reply.status != app.expect
    ]
    assert not wrong, "; ".join(wrong)


@pytest.mark.on("nodes")
@check
def test_every_node(node: Node, site: SiteSettings, outside: Place) -> Checking:
    """every application answers through the node alone"""
    # no gate: an application that is ill already must not stop an update; one that falls ill meanwhile does
    apps = published(node.host, site)
    if not apps:
        raise NotHere("the site has no applications")
    place = past_the_edge(node, outside)
    urls = [f"http://{node.address}:{site.traefik_port}{app.path}" for app in apps]
    answers = yield from gather(place.sh(http(url, host=app.host)) for url, app in zip(urls, apps, strict=True))
    wrong = [
        f"{app.name}: {url} gave {reply}, and should give {app.expect}"
        for app, url, reply in zip(apps, urls, map(Reply.of, answers), strict=True)
        if reply.status != app.expect
    ]
    assert not wrong, "; ".join(wrong)
