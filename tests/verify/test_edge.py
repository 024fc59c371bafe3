"""nginx or HAProxy in front of the site."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from cryptography import x509

from provision.inventory.settings import bind
from provision.remote.shell import quote
from provision.resources import HashedFile, Resource
from provision.resources.hashed_files import KEPT
from provision.usage import usage
from provision.verify.checks import Checking, Node, NotHere, Place, check, gather
from provision.verify.commands import Reply, http
from roles._amounts import seconds
from roles._cluster import API_PORT as API
from roles._edge_tls import folder
from roles._lifetimes import certificate_files
from roles.edge import PROGRAMS, Settings
from roles.nginx_ds import Settings as Workloads
from tests.verify.entrance import asked, health
from tests.verify.tls import OLD, Handshake, handshake, names, trusted_by_clients
from tests.verify.wire import websocket

if TYPE_CHECKING:
    from roles._site import SiteSettings

SPOOFED = "6.6.6.6"
SPARE = 30  # seconds that an edge may take to end a worker whose time is over
# prints a line for each node that the program leaves out: its name or address in the second field
OUT = {
    "nginx": "grep -rhE '^ *server [^{]*;' /etc/nginx/nginx.conf /etc/nginx/conf.d",
    "haproxy": "echo 'show servers state' | socat - UNIX-CONNECT:/run/haproxy/admin.sock",
}


def workers(settings: Settings) -> str:
    """sh that becomes the ids of the processes that serve."""
    return f'$(pgrep -d " " -P "$(cat {PROGRAMS[settings.program].PROGRAM.pidfile})")'


def out_in(program: str, lines: Iterable[str]) -> list[str]:
    """The nodes that a program leaves out, as OUT made it say."""
    rows = [line.split() for line in lines if line.strip()]
    if program == "nginx":
        return [row[1] for row in rows if row[-1] == "down;"]
    flags = [(row[3], int(row[6])) for row in rows if row[0].isdigit() and len(row) > 6]
    return [server for server, admin in flags if admin & 0b1001]  # maintenance, drain


def need(node: Node, echo: str) -> None:
    """Raise NotHere unless the site has this echo workload: `demo` or `ws` of role nginx_ds."""
    if not getattr(bind(Workloads, node.host, "nginx_ds"), echo):
        raise NotHere(f"nginx_ds.{echo} is off")


@check
def test_dashboard(node: Node, site: SiteSettings, outside: Place) -> Checking:
    """a request for traefik.DOMAIN reaches the dashboard"""
    reply = Reply.of((yield outside.sh(health(node, f"traefik.{site.domain}", "/dashboard/", node.address))))
    assert reply.status == 200, f"traefik.{site.domain}/dashboard/ at {node.address} gave {reply}"


@check
def test_nobody_is_out(node: Node, settings: Settings) -> Checking:
    """every node takes part: none was left out by a run that did not end well"""
    answer = yield node.sh(OUT[settings.program])
    assert answer.lines, f"{settings.program} names no server: {answer}"
    out = out_in(settings.program, answer.lines)
    assert not out, f"out: {', '.join(out)}"


@check
def test_open_files(node: Node, settings: Settings) -> Checking:
    """the edge may open the files that its clients need"""
    # nginx only logs that its limit could not be raised, and refuses clients once it is reached
    limits = yield node.sh(f"for p in {workers(settings)}; do cat /proc/$p/limits; done")
    found = [int(line.split()[3]) for line in limits.lines if line.startswith("Max open files")]
    assert found, f"no worker of {settings.program} runs: {limits}"
    needed = PROGRAMS[settings.program].open_files(settings)
    assert min(found) >= needed, f"workers may open {min(found)}, they need {needed}"


@check
def test_old_workers(node: Node, settings: Settings) -> Checking:
    """no worker of an older configuration serves longer than shutdown_timeout"""
    old = yield node.sh(PROGRAMS[settings.program].PROGRAM.older())
    if old.text == "0":
        return
    youngest = yield node.sh(f"ps -o etimes= -p $(echo {workers(settings)} | tr ' ' ,) | sort -n | head -n 1")
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
    reply = Reply.of((yield outside.sh(asked(node, f"nobody-has-this.{site.domain}", address=node.address))))
    assert (reply.status, "x-edge" in reply.headers) == (404, False), f"it gave {reply}"


@check
def test_spoofed_sender(node: Node, site: SiteSettings, outside: Place) -> Checking:
    """a client can't say who it is: a spoofed X-Forwarded-For does not reach the pod"""
    need(node, "demo")
    spoofed = {"X-Forwarded-For": SPOOFED}
    ask = asked(node, f"demo.{site.domain}", "/header?key=X-Forwarded-For", spoofed, node.address)
    reply = Reply.of((yield outside.sh(ask)))
    assert reply.status == 200, f"the echo at demo.{site.domain} gave {reply}"
    assert reply.body.strip(), "the pod saw no X-Forwarded-For at all: who asks is lost between edge and pod"
    assert SPOOFED not in reply.body, f"the pod saw {reply.body.strip()!r}"


@check
def test_host_header(node: Node, site: SiteSettings, outside: Place) -> Checking:
    """the pod sees the host that was asked for"""
    need(node, "demo")
    ask = asked(node, f"demo.{site.domain}", "/header?key=X-Forwarded-Host", address=node.address)
    reply = Reply.of((yield outside.sh(ask)))
    assert reply.body.strip() == f"demo.{site.domain}", f"the pod saw {reply}"


@check
def test_websocket(node: Node, site: SiteSettings, settings: Settings, outside: Place) -> Checking:
    """a WebSocket passes, and what is said comes back"""
    need(node, "ws")
    # nginx passes no Upgrade on unless it is told to: a handshake then ends in 200 instead of 101
    text = f"verify {secrets.token_hex(4)}"
    answer = yield outside.sh(websocket(node.address, f"ws.{site.domain}", text, tls=bool(settings.tls.source)))
    assert " 101" in answer.output.partition("\n")[0], f"the handshake gave {answer}"
    assert answer.lines[1:] == [text], f"{text!r} was sent, and {answer} came back"


def need_tls(settings: Settings) -> None:
    """Raise NotHere unless the edge speaks TLS."""
    if not settings.tls.source:
        raise NotHere("edge.tls is off")


@check
def test_tls(
    node: Node, site: SiteSettings, settings: Settings, declared: Sequence[Resource], outside: Place
) -> Checking:
    """a client that trusts the CA accepts every name's certificate, and it is the newest"""
    need_tls(settings)
    authority, served = trusted_by_clients(node, site, settings), names(node, site, settings)
    answers = yield from gather(outside.sh(handshake(name, node.address, authority)) for name in served)
    files = {r.target: r for r in declared if isinstance(r, HashedFile)}
    known = {r.path: x509.load_pem_x509_certificate(r.payload) for r in files.values() if r.suffix == ".pem"}
    for name, shown in zip(served, map(Handshake, answers), strict=True):
        assert shown.trusted, f"https://{name}/ at {node.address}: {shown}"
        ends = known[folder(served[name].certificate)].not_valid_after_utc
        assert shown.ends == ends, f"{name} shows a certificate that ends at {shown.ends}, not the one of {ends}"


@check
def test_tls_versions(node: Node, site: SiteSettings, settings: Settings, outside: Place) -> Checking:
    """TLS 1.2 and 1.3 are spoken and nothing older, HTTP/2 to those who know it"""
    need_tls(settings)
    name = f"traefik.{site.domain}"
    new, fair, old = yield from gather(
        outside.sh(handshake(name, node.address, options=("-k", *options)))
        for options in (("--tlsv1.3",), ("--tls-max", "1.2"), OLD)
    )
    assert Handshake(new).trusted, f"TLS 1.3: {Handshake(new)}"
    assert Handshake(fair).trusted, f"TLS 1.2: {Handshake(fair)}"
    assert not Handshake(old).trusted, "TLS 1.1 is spoken"
    assert Handshake(new).http2, "HTTP/2 is not offered"


@check
def test_tls_of_an_unknown_name(node: Node, settings: Settings, outside: Place) -> Checking:
    """a handshake for a name that is not the site's shows no certificate"""
    need_tls(settings)
    hosts = ("nobody.example.org", node.address)
    answers = yield from gather(outside.sh(handshake(host, node.address, options=("-k",))) for host in hosts)
    for host, shown in zip(hosts, map(Handshake, answers), strict=True):
        assert not shown.trusted, f"{host}: a handshake succeeded"
        assert shown.ends is None, f"{host}: a certificate that ends at {shown.ends} was shown"


@check
def test_redirect(node: Node, site: SiteSettings, settings: Settings, outside: Place) -> Checking:
    """http leads to https where that is set, and only there"""
    need_tls(settings)
    served = names(node, site, settings)
    answers = yield from gather(outside.sh(http(f"http://{name}/", address=node.address)) for name in served)
    for (name, its), reply in zip(served.items(), map(Reply.of, answers), strict=True):
        led = reply.status == 308 and reply.headers.get("location") == f"https://{name}/"
        assert led == its.redirect, f"http://{name}/ gave {reply}"


@check
def test_keys(node: Node, settings: Settings, declared: Sequence[Resource]) -> Checking:
    """private keys are root's alone, and no more than three of each are kept"""
    need_tls(settings)
    folders = [r.path for r in declared if isinstance(r, HashedFile) and r.suffix == ".pem"]
    found = yield node.sh(f"find {' '.join(map(quote, folders))} -type f -printf '%m %u %h\\n'")
    assert {line.rpartition(" ")[0] for line in found.lines} == {"600 root"}, f"{found}"
    most = Counter(line.rpartition(" ")[2] for line in found.lines).most_common(1)[0]
    assert most[1] <= KEPT, f"{most[0]} holds {most[1]} files"


@check
def test_certificates(node: Node, settings: Settings, declared: Sequence[Resource]) -> Checking:
    """no certificate of the edge has ended, nor ends within 30 days"""
    need_tls(settings)
    files = tuple(certificate_files(declared))
    answers = yield from gather(node.sh(file.read) for file in files)
    now = datetime.now(UTC)
    found = [each for file, answer in zip(files, answers, strict=True) for each in file.lifetimes(answer.output, now)]
    urgent = [each.sentence() for each in found if each.urgent(now)]
    assert not urgent, f"{'; '.join(urgent)}. {usage('deploy')} renews what the edge's own CA issued"


@check
def test_closed_names(node: Node, site: SiteSettings, settings: Settings) -> Checking:
    """a name with users asks for a password, and one with networks knows nobody else's"""
    closed = {f"{label}.{site.domain}": its for label, its in settings.sites.items() if its.closed and "*" not in label}
    if not closed:
        raise NotHere("everybody may ask for every name")
    by = "https" if settings.tls.source else "http"
    answers = yield from gather(node.sh(http(f"{by}://{name}/", address=node.address)) for name in closed)
    for (name, its), reply in zip(closed.items(), map(Reply.of, answers), strict=True):
        stranger = bool(its.networks) and not any(
            ip_address(node.address) in ip_network(n, strict=False) for n in its.networks
        )
        wanted = 403 if stranger else 401 if its.users else reply.status
        assert reply.status == wanted, f"{name}, asked from {node.name} without a password, gave {reply}"
