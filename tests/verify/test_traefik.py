"""Traefik on every node, and its dashboard."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING

import pytest

from provision.verify.browser import Browser
from provision.verify.checks import Checking, Many, Node, NotHere, Place, check, gather
from provision.verify.commands import Answer, Ask, Reply, http
from roles._cluster import entrance
from roles.traefik import GATEWAY, NAMESPACE
from tests.verify.cluster import cluster, kubectl
from tests.verify.entrance import past_the_edge, site_url

if TYPE_CHECKING:
    from roles._site import SiteSettings
    from roles.traefik import Settings

ROUTE = "verify-route"
NGINX = "kubernetesingressnginx"  # the provider of Ingresses that were written for ingress-nginx
STALE = 600  # seconds after which a route that a killed run left behind is nobody's


@pytest.mark.on("nodes")
@pytest.mark.gate
@check
def test_dashboard_on_the_node(node: Node, site: SiteSettings, outside: Place) -> Checking:
    """the dashboard answers on the node's own port"""
    # /ping is answered before the first route is loaded, so it proves nothing
    reply = yield from past_the_edge(node, outside).http(
        f"http://{node.address}:{site.traefik_port}/dashboard/", host=f"traefik.{site.domain}"
    )
    assert reply.status == 200, f"http://{node.address}:{site.traefik_port}/dashboard/ gave {reply}"


@pytest.mark.on("nodes")
@check
def test_one_pod(node: Node, settings: Settings) -> Checking:
    """exactly one Traefik runs on the node, and is ready"""
    if settings.kind != "DaemonSet":
        raise NotHere("Traefik runs as a Deployment")
    seen = yield from cluster(node)
    pods = [p for p in seen.pods("kube-system", k8s_app="traefik-ingress") if p.node == node.address]
    assert len(pods) == 1, f"{len(pods)} pods: {', '.join(p.name for p in pods)}"
    assert pods[0].ready, f"{pods[0].name} is not ready"


@pytest.mark.on("nodes")
@pytest.mark.gate
@check
def test_routers(node: Node, site: SiteSettings, outside: Place) -> Checking:
    """Traefik knows as many routers as on the other nodes, none of them in error"""
    # those of ingress-nginx apart: while that is turned on, this node has them and the next one not yet
    yield from _as_many(node, site, outside, lambda router: router["provider"] != NGINX)


@pytest.mark.on("nodes")
@check
def test_ingress_nginx(node: Node, site: SiteSettings, settings: Settings, outside: Place) -> Checking:
    """Traefik serves the Ingresses of ingress-nginx where that is set, and only there, all of them on every node"""
    providers = yield from _providers(node, site, outside)
    assert ("KubernetesIngressNGINX" in providers) == settings.ingress_nginx, f"its providers are {providers}"
    if settings.ingress_nginx:
        said = yield kubectl(node, "get ingressclass nginx -o jsonpath={.spec.controller}")
        assert said.output.strip() == "k8s.io/ingress-nginx", f"IngressClass nginx: {said}"
        yield from _as_many(node, site, outside, lambda router: True)


@pytest.mark.on("nodes")
@check
def test_gateway(node: Node, site: SiteSettings, settings: Settings, outside: Place) -> Checking:
    """Traefik serves routes of the Gateway API where that is set, and only there"""
    providers = yield from _providers(node, site, outside)
    assert ("KubernetesGateway" in providers) == settings.gateway, f"its providers are {providers}"
    if settings.gateway:
        programmed = "{.status.conditions[?(@.type=='Programmed')].status}"
        said = yield kubectl(node, f'-n {NAMESPACE} get gateway {GATEWAY} -o jsonpath="{programmed}"')
        assert said.output.strip() == "True", f"Gateway {GATEWAY} is not programmed: {said}"


@check
def test_dashboard(node: Node, site: SiteSettings, outside: Place) -> Checking:
    """traefik.DOMAIN/dashboard/ shows the dashboard, through the edge"""
    page = site_url(node, f"traefik.{site.domain}", "/dashboard/")
    reply = yield from outside.http(page)
    assert reply.status == 200, f"{page} gave {reply}"
    assert "<title>Traefik" in reply.body, f"what came back is not the dashboard: {reply}"


@check
def test_browser(node: Node, site: SiteSettings, browser: Browser) -> Checking:
    """a browser finds in the dashboard a route that was made a moment ago"""
    now = int(time.time())
    host = f"{ROUTE}-{now}-{secrets.token_hex(3)}.{site.domain}"
    name = host.removesuffix(f".{site.domain}")
    try:
        made = yield kubectl(node, f"create -f - <<'END'\n{_ingress(name, host)}\nEND")
        assert made.ok, f"the route could not be made: {made}"
        # the page shows a first part of a long list only
        shows = site_url(node, f"traefik.{site.domain}", f"/dashboard/#/http/routers?search={name}")
        page = yield browser.sees(shows, name, address=entrance(node.host, site), screenshot="dashboard")
        shown = " ".join(page.output.split())
        assert page.ok, f"the page does not show {name}: {page.errors or shown[:300] or 'it is empty'}"
    finally:
        stale = f"-n default get ingress -l made-by=verify -o name | while read -r i; do t=${{i#*{ROUTE}-}}; "
        stale += f"[ $(({now} - ${{t%%-*}})) -lt {STALE} ] || echo $i; done"
        old = yield kubectl(node, stale)
        gone = yield kubectl(node, f"-n default delete --ignore-not-found ingress/{name} {' '.join(old.lines)}")
        assert gone.ok, f"the route {name} could not be deleted: {gone}"


def _providers(node: Node, site: SiteSettings, outside: Place) -> Generator[Ask | Many, Answer, list[str]]:
    """What the node's Traefik reads its routes from."""
    url = f"http://{node.address}:{site.traefik_port}/api/overview"
    reply = yield from past_the_edge(node, outside).http(url, host=f"traefik.{site.domain}")
    assert reply.status == 200, f"the overview gave {reply}"
    found: list[str] = reply.json.get("providers", [])
    return found


def _as_many(node: Node, site: SiteSettings, outside: Place, of: Callable[[dict[str, str]], bool]) -> Checking:
    """Whether the node's Traefik knows as many of these routers as those of the other nodes, each of them enabled."""
    nodes, place = node.group("nodes"), past_the_edge(node, outside)
    answers = yield from gather(place.sh(http(_routers(n, site), host=f"traefik.{site.domain}")) for n in nodes)
    replies = {other.name: Reply.of(answer) for other, answer in zip(nodes, answers, strict=True)}
    mine = replies.pop(node.name)
    assert mine.status == 200, f"the list of routers gave {mine}"
    known = [router for router in _known(mine) if of(router)]
    wrong = [router["name"] for router in known if router["status"] != "enabled"]
    assert not wrong, f"not enabled: {', '.join(wrong)}"
    assert known, f"it knows no router: {mine}"
    # a node that does not answer is its own check's to tell
    others = {name: len([*filter(of, _known(reply))]) for name, reply in replies.items() if reply.status == 200}
    differ = [f"{other} on {name}" for name, other in others.items() if other != len(known)]
    assert not differ, f"{len(known)} here, {', '.join(differ)}"


def _routers(node: Node, site: SiteSettings) -> str:
    return f"http://{node.address}:{site.traefik_port}/api/http/routers?per_page=1000"


def _known(reply: Reply) -> list[dict[str, str]]:
    """The routers, but for a verification's own: one node may know it already and the other not yet."""
    return [router for router in reply.json if ROUTE not in router["name"]]


def _ingress(name: str, host: str) -> str:
    backend = {"service": {"name": "kubernetes", "port": {"number": 443}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    return json.dumps(
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": {"name": name, "namespace": "default", "labels": {"made-by": "verify"}},
            "spec": {"ingressClassName": "traefik", "rules": [{"host": host, "http": {"paths": [path]}}]},
        }
    )
