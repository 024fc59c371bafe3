"""nginx as the program of an edge: its files are one set, and a request takes a hop inside it (docs/edge.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from provision.resources import ConfigSet, HashedFile, Nginx, OpenFiles, Package, Resource, Service, Template
from roles._amounts import octets
from roles._htpasswd import Users, folder

if TYPE_CHECKING:
    from provision.inventory import Host
    from roles._site import SiteSettings
    from roles.edge import Settings

# of this host alone, and no port more: whoever listens on *:80 has all of 127.0.0.0/8 too
ANSWER = "127.0.0.2:80"
HOP, LAST_HOP = "127.0.0.2:1081", "127.0.0.2:1082"  # from nginx's http part to its stream part

PROGRAM = Nginx(answer=ANSWER, replaces="haproxy")


def open_files(settings: Settings) -> int:
    """How many files a worker of nginx may have open: for each client four, and its own."""
    return 4 * settings.connections + 256


def users(name: str, hashes: Users) -> HashedFile:
    """The users of a closed name, as htpasswd writes them."""
    content = b"".join(b"%s:%s\n" % (user.encode(), found) for user, found in hashes.items())
    # nginx's workers read it for each request
    return HashedFile(path=folder(name), content=content, mode="0640", group="www-data")


def resources(host: Host, site: SiteSettings, settings: Settings, shared: Mapping[str, Any]) -> Iterator[Resource]:
    """nginx, its files as one set, running and enabled; HAProxy off. shared: what templates of every program take."""
    yield Package(names=("nginx", "libnginx-mod-stream"))
    hops = {"hop": HOP, "last_hop": LAST_HOP}
    yield OpenFiles(
        program="nginx",
        needed=open_files(settings),
        pidfile=PROGRAM.pidfile,
        setting="edge.connections",
        line=host.origin("edge", "connections"),
        do="Write fewer connections: each needs 4 files, and nginx 256 of its own; or raise the limit of the host",
    )
    header = octets(settings.answer_header) + 4096  # nginx keeps what it has begun to read beside it
    tls = {"conf.d/tls.conf": Template("edge/tls.conf.j2")} if settings.tls.source else {}
    yield ConfigSet(
        directory="/etc/nginx",
        files={
            "nginx.conf": Template("edge/nginx.conf.j2", files=open_files(settings), **shared, **hops),
            f"conf.d/{site.domain}.conf": Template("edge/site.conf.j2", header=header, **shared, **hops),
            **tls,
        },
        activation=PROGRAM,
    )
    yield Service(name=PROGRAM.service, executable=PROGRAM.executable, pidfile=PROGRAM.pidfile, renew=PROGRAM.renew())
    yield Service(name=PROGRAM.replaces, running=False, enabled=False)
