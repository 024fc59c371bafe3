"""nginx in front of the site."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from provision.inventory.settings import bind
from provision.resources import Nginx
from provision.verify.checks import Checking, Node, NotHere, Place, check, gather
from provision.verify.commands import Reply, http
from roles._amounts import seconds
from roles._cluster import API_PORT as API
from roles.edge import Settings, open_files
from roles.nginx_ds import Settings as Workloads
from tests.verify.wire import websocket

if TYPE_CHECKING:
    from roles._site import SiteSettings

SPOOFED = "6.6.6.6"
WORKERS = '$(pgrep -d " " -P "$(cat /run/nginx.pid)")'
SPARE = 30  # seconds that nginx may take to end a worker whose time is over


def need(node: Node, echo: str) -> None:
    """Raise NotHere unless the site has this echo workload: `demo` or `ws` of role nginx_ds."""
    if not getattr(bind(Workloads, node.host, "nginx_ds"), echo):
        raise NotHere(f"nginx_ds.{echo} is off")


@check
def test_dashboard(node: Node, site: SiteSettings, outside: Place) -> Checking:
    """a request for traefik.DOMAIN reaches the dashboard"""
    reply = yield from outside.http(f"http://{node.address}/dashboard/", host=f"traefik.{site.domain}")
    assert reply.status == 200, f"http://{node.address}/dashboard/ gave {reply}"


@check
def test_nobody_is_out(node: Node) -> Checking:
    """every node takes part: none was left out by a run that did not end well"""
    answer = yield node.sh("grep -rhE '^ *server [^{]*;' /etc/nginx/nginx.conf /etc/nginx/conf.d")
    assert answer.lines, f"nginx's files name no server: {answer}"
    out = [line.split()[1] for line in answer.lines if line.rstrip().endswith(" down;")]
    assert not out, f"out: {', '.join(out)}"


@check
def test_open_files(node: Node, settings: Settings) -> Checking:
    """nginx may open the files that its clients need"""
    # nginx only logs that its limit could not be raised, and refuses clients once it is reached
    limits = yield node.sh(f"for p in {WORKERS}; do cat /proc/$p/limits; done")
    found = [int(line.split()[3]) for line in limits.lines if line.startswith("Max open files")]
    assert found, f"no worker of nginx runs: {limits}"
    assert min(found) >= open_files(settings), f"workers may open {min(found)}, they need {open_files(settings)}"


@check
def test_old_workers(node: Node, settings: Settings) -> Checking:
    """no worker of an older configuration serves longer than shutdown_timeout"""
    old = yield node.sh(Nginx().older())
    if old.text == "0":
        return
    youngest = yield node.sh(f"ps -o etimes= -p $(echo {WORKERS} | tr ' ' ,) | sort -n | head -n 1")
    since = int(youngest.text)  # seconds since the last reload
    assert since <= seconds(settings.shutdown_timeout) + SPARE, f"{old.text} are left {since} s after the last reload"
    left = seconds(settings.shutdown_timeout) + SPARE - since
    raise NotHere(f"{old.text} serve connections that are still open, for {left} s more at most")


@check
def test_every_node_is_reached(node: Node, site: SiteSettings) -> Checking:
    """the edge itself reaches Traefik on every node"""
    # nginx hides a node that it can't reach: it asks another one, and half of the capacity is gone unnoticed
    urls = {n.name: f"http://{n.address}:{site.traefik_port}/dashboard/" for n in node.group("nodes")}
    if not urls:
        raise NotHere("the site has no nodes")
    answers = yield from gather(node.sh(http(url, host=f"traefik.{site.domain}")) for url in urls.values())
    for (name, url), reply in zip(urls.items(), map(Reply.of, answers), strict=True):
        assert reply.status == 200, f"{name} is not reached from here: {url} gave {reply}"


@check
def test_every_api_server_is_reached(node: Node) -> Checking:
    """the edge itself reaches the API server of every master"""
    masters = node.group("masters")
    if not masters:
        raise NotHere("the site has no masters")
    urls = [f"https://{master.address}:{API}/readyz" for master in masters]
    answers = yield from gather(node.sh(http(url)) for url in urls)
    for master, url, reply in zip(masters, urls, map(Reply.of, answers), strict=True):
        assert reply.status, f"{master.name} is not reached from here: {url} gave {reply}"


@check
def test_unknown_host(node: Node, site: SiteSettings, outside: Place) -> Checking:
    """an unknown host is answered by the edge itself"""
    # the course's only server is nginx's default for every name: there any Host reaches Traefik
    hosts = ("nobody.example.org", site.domain, node.address)
    answers = yield from gather(outside.sh(http(f"http://{node.address}/", host=host)) for host in hosts)
    for host, reply in zip(hosts, map(Reply.of, answers), strict=True):
        assert "default server" in reply.headers.get("x-edge", ""), f"Host {host} gave {reply}"
        assert reply.status == 404, f"Host {host} gave {reply}"


@check
def test_unknown_site(node: Node, site: SiteSettings, outside: Place) -> Checking:
    """a name of the site's that no Ingress has is answered by Traefik"""
    reply = yield from outside.http(f"http://{node.address}/", host=f"nobody-has-this.{site.domain}")
    assert (reply.status, "x-edge" in reply.headers) == (404, False), f"it gave {reply}"


@check
def test_spoofed_sender(node: Node, site: SiteSettings, outside: Place) -> Checking:
    """a client can't say who it is: a spoofed X-Forwarded-For does not reach the pod"""
    need(node, "demo")
    reply = yield from outside.http(
        f"http://{node.address}/header?key=X-Forwarded-For",
        host=f"demo.{site.domain}",
        headers={"X-Forwarded-For": SPOOFED},
    )
    assert reply.status == 200, f"the echo at demo.{site.domain} gave {reply}"
    assert reply.body.strip(), "the pod saw no X-Forwarded-For at all: who asks is lost between edge and pod"
    assert SPOOFED not in reply.body, f"the pod saw {reply.body.strip()!r}"


@check
def test_host_header(node: Node, site: SiteSettings, outside: Place) -> Checking:
    """the pod sees the host that was asked for"""
    need(node, "demo")
    reply = yield from outside.http(f"http://{node.address}/header?key=X-Forwarded-Host", host=f"demo.{site.domain}")
    assert reply.body.strip() == f"demo.{site.domain}", f"the pod saw {reply}"


@check
def test_websocket(node: Node, site: SiteSettings, outside: Place) -> Checking:
    """a WebSocket passes, and what is said comes back"""
    need(node, "ws")
    # nginx passes no Upgrade on unless it is told to: a handshake then ends in 200 instead of 101
    text = f"verify {secrets.token_hex(4)}"
    answer = yield outside.sh(websocket(node.address, 80, f"ws.{site.domain}", text))
    assert " 101" in answer.output.partition("\n")[0], f"the handshake gave {answer}"
    assert answer.lines[1:] == [text], f"{text!r} was sent, and {answer} came back"
