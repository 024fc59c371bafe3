"""The course's workload: a node port on every node, a cluster address, a site of its own."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest

from provision.verify.checks import Checking, Node, NotHere, Place, check, gather
from provision.verify.commands import Reply, http
from roles._applications import ROUTED
from roles.traefik import serves_routes
from tests.verify.cluster import cluster, kubectl
from tests.verify.entrance import site_url

if TYPE_CHECKING:
    from roles._site import SiteSettings
    from roles.nginx_ds import Settings

TOKEN = secrets.token_hex(6)
TIMES = 24  # kube-proxy picks a pod at random: of two pods, one is missed by all of them once in 8 million runs


@pytest.mark.on("nodes")
@pytest.mark.gate
@check
def test_node_port(node: Node, settings: Settings, outside: Place) -> Checking:
    """the node port answers from outside"""
    # nothing listens there (since 1.24 kube-proxy holds no socket), so only asking shows that it works
    reply = yield from outside.http(f"http://{node.address}:{settings.node_port}/")
    assert reply.status == 200, f"http://{node.address}:{settings.node_port}/ gave {reply}"


@pytest.mark.on("nodes")
@check
def test_every_pod_behind_the_node_port(node: Node, settings: Settings, outside: Place) -> Checking:
    """the node port leads to pods on every node"""
    path = f"/verify-{TOKEN}-{node.name}"
    one = f"curl -s -o /dev/null -m 3 http://{node.address}:{settings.node_port}{path}"
    answer = yield outside.sh(f"for i in $(seq {TIMES}); do {one} || echo failed; done", 20)
    assert not answer.text, f"{len(answer.lines)} of {TIMES} requests failed"
    seen = yield from cluster(node)
    pods = {pod.name: pod.node for pod in seen.pods("default", app="nginx-ds")}
    # each pod's own log says whether it was asked
    logs = yield kubectl(node, "-n default logs -l app=nginx-ds --prefix --since=2m --tail=400")
    assert logs.ok, f"the pods' logs can't be read: {logs}"
    asked = "".join(line for line in logs.lines if path in line)
    silent = [f"{name} on {at}" for name, at in pods.items() if f"[pod/{name}/" not in asked]
    assert not silent, f"of {TIMES} requests none reached {', '.join(silent)}"
    nodes = {n.address for n in node.group("nodes")}
    assert nodes <= set(pods.values()), f"no pod runs on {', '.join(sorted(nodes - set(pods.values())))}"


@pytest.mark.on("nodes")
@check
def test_cluster_address(node: Node) -> Checking:
    """services' cluster addresses answer on the node"""
    seen = yield from cluster(node)
    services = (seen.service("default", "nginx-ds"), seen.service("kube-public", "nginx-dp"))
    urls = [f"http://{service['spec']['clusterIP']}/" for service in services]
    answers = yield from gather(node.sh(http(url)) for url in urls)
    for service, url, reply in zip(services, urls, map(Reply.of, answers), strict=True):
        assert reply.status == 200, f"{service['metadata']['name']} at {url} gave {reply}"


@pytest.mark.on("nodes")
@check
def test_cluster_address_stays_inside(node: Node, outside: Place) -> Checking:
    """cluster addresses mean nothing outside the cluster"""
    seen = yield from cluster(node)
    address = seen.service("kube-public", "nginx-dp")["spec"]["clusterIP"]
    answer = yield outside.sh(http(f"http://{address}/", seconds=1))
    assert not answer.ok, f"http://{address}/ was answered outside: {answer}"


@check
def test_site(node: Node, site: SiteSettings, outside: Place) -> Checking:
    """nginx answers at its own name, through edge and Traefik"""
    page = site_url(node, f"nginx.{site.domain}")
    reply = yield from outside.http(page)
    assert reply.status == 200, f"{page} gave {reply}"


@check
def test_route(node: Node, site: SiteSettings, settings: Settings, outside: Place) -> Checking:
    """the echo answers by a route of the Gateway API too, where Traefik serves those"""
    if not (settings.demo and serves_routes(node.host)):
        raise NotHere("traefik.gateway or nginx_ds.demo is off")
    url = f"http://{ROUTED}.{site.domain}/hostname"
    reply = yield from outside.http(url)
    assert reply.status == 200, f"{url} gave {reply}"


@check
def test_echo_commands(node: Node, site: SiteSettings, settings: Settings, outside: Place) -> Checking:
    """what the echo would do on command, such as run a shell, is not reached through the edge"""
    if not settings.demo:
        raise NotHere("nginx_ds.demo is off")
    host = f"demo.{site.domain}"
    paths = ("/shell?cmd=id", "/dial?host=127.0.0.1&port=1", "/exit?code=0", "/upload")
    urls = [site_url(node, host, path) for path in paths]
    answers = yield from gather(outside.sh(http(asked)) for asked in urls)
    for url, reply in zip(urls, map(Reply.of, answers), strict=True):
        assert reply.status == 404, f"{url} gave {reply}"
