"""HAProxy as the program of an edge: its files are one set, and nodes are drained by its socket (docs/edge.md)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import FieldInfo, fields

from provision.errors import InputError
from provision.resources import (
    Command,
    ConfigSet,
    Directory,
    File,
    HAProxy,
    HashedFile,
    OpenFiles,
    Package,
    Resource,
    Service,
    Template,
)
from provision.resources.configset.haproxy import USERS_LIST
from roles import _edge_tls
from roles._amounts import octets, seconds
from roles._edge_nginx import ANSWER
from roles._edge_sites import ServedName
from roles._htpasswd import Users, folder

if TYPE_CHECKING:
    from provision.inventory import Host
    from roles._site import SiteSettings
    from roles.edge import Settings

API_CONNECTIONS = 1024  # besides the clients: kubelets, kube-proxies and pods that ask the API
REWRITE = 4096  # bytes of a buffer that stay free for headers that are added
OWN_FILES = 256
LONGEST = 2_147_483  # seconds of a timer, 24.8 days: it has 31 bits of milliseconds
TIMERS = ("read_timeout", "shutdown_timeout", "api_idle_timeout")

# what the template reads, and what is nginx's alone; another setting of role edge that is made use of is refused
KNOWN = frozenset(
    [
        "program",
        "worker_processes",
        "keepalive",
        "max_fails",
        "fail_timeout",
        "read_timeout",
        "max_body",
        "request_header",
        "answer_header",
        "connections",
        "shutdown_timeout",
        "trusted",
        "tls",
        "sites",
        "h2c_port",
        "handover_wait",
        "api_fail_timeout",
        "api_idle_timeout",
    ]
)
KNOWN_OF_A_SITE = frozenset({"protocol", "tls", "users", "networks"})
PROGRAM = HAProxy(answer=ANSWER, replaces="nginx")
DROP_IN = "/etc/systemd/system/haproxy.service.d"


def _default(field: FieldInfo) -> object:
    return field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()


def open_files(settings: Settings) -> int:
    """How many files HAProxy may have open: for each connection two, and its own."""
    return 2 * (settings.connections + API_CONNECTIONS) + OWN_FILES


def users(name: str, hashes: Users) -> HashedFile:
    """The users of a closed name, as a part of HAProxy's configuration."""
    lines = (b"    user %s password %s\n" % (user.encode(), found) for user, found in hashes.items())
    content = b"userlist %s\n" % userlist(name).encode() + b"".join(lines)
    return HashedFile(path=folder(name), suffix=".cfg", content=content)


def userlist(name: str) -> str:
    """What the users of a name are called in HAProxy's files, which take no asterisk there."""
    return name.replace("*", "_")


def by_precedence(names: Iterable[ServedName]) -> tuple[ServedName, ...]:
    """From the most general to the most specific: the last one that fits a request is the one that serves it."""
    return tuple(sorted(names, key=lambda each: (not each.name.startswith("*"), len(each.name))))


def check_known(host: Host, settings: msgspec.Struct, known: frozenset[str], *path: str) -> None:
    """Refuse a setting that HAProxy would ignore: who closes a site must not find it open."""
    for field in fields(settings):
        if field.name not in known and getattr(settings, field.name) != _default(field):
            name = ".".join((*path, field.name))
            raise InputError(
                f"{name} can't be had with edge.program haproxy",
                line=host.origin(*path, field.name),
                found="Only nginx does this at the edge",
                do=f"Set edge.program: nginx, or take {name} out",
            )


def check_bounds(host: Host, settings: Settings) -> None:
    """Refuse what nginx takes and HAProxy does not: longer timers. How many threads it takes, its build decides."""
    for name in (name for name in TIMERS if seconds(getattr(settings, name)) > LONGEST):
        raise InputError(
            f"edge.{name} {getattr(settings, name)} is too much for edge.program haproxy",
            line=host.origin("edge", name),
            found="HAProxy takes at most 24d, and would not start",
            do="Write less, or set edge.program: nginx",
        )


def resources(host: Host, site: SiteSettings, settings: Settings, shared: Mapping[str, Any]) -> Iterator[Resource]:
    """HAProxy, its file as a set, running and enabled; nginx off. shared: what templates of every program take."""
    check_known(host, settings, KNOWN, "edge")
    check_bounds(host, settings)
    for name, its in settings.sites.items():
        check_known(host, its, KNOWN_OF_A_SITE, "edge", "sites", name)
    yield Package(names=("haproxy", "socat"))  # socat: for its socket
    yield OpenFiles(
        program="haproxy",
        needed=open_files(settings),
        pidfile=PROGRAM.pidfile,
        setting="edge.connections",
        line=host.origin("edge", "connections"),
        do="Write fewer connections: each needs 2 files, and HAProxy 2304 more; or raise the limit of the host",
    )
    header = max(octets(settings.answer_header), octets(settings.request_header))
    timeouts = {
        "read": f"{seconds(settings.read_timeout)}s",
        "shutdown": f"{seconds(settings.shutdown_timeout)}s",
        "api_idle": f"{seconds(settings.api_idle_timeout)}s",
    }
    file = Template(
        "edge/haproxy.cfg.j2",
        program=PROGRAM,
        files=open_files(settings),
        maxconn=settings.connections + API_CONNECTIONS,
        bufsize=header + 4096 + REWRITE,
        request_header=octets(settings.request_header),
        max_body=octets(settings.max_body),
        timeouts=timeouts,
        userlist=userlist,
        **{**shared, "names": by_precedence(shared["names"])},
    )
    needed = _edge_tls.needed(host, site, settings.sites)
    shown = {name: needed if name == site.domain else (name,) for name in shared["certificates"]}
    certificates = Template("edge/certificates.list.j2", certificates=shared["certificates"], shown=shown)
    passwords = Template("edge/users.list.j2", passwords=shared["passwords"])
    yield from _unit()
    tls = {"certificates.list": certificates} if settings.tls.source else {}
    closed = {USERS_LIST: passwords} if shared["passwords"] else {}
    yield ConfigSet(directory="/etc/haproxy", files={"haproxy.cfg": file, **tls, **closed}, activation=PROGRAM)
    reload = f"systemctl reload {PROGRAM.service}"  # its master process becomes the new binary, and starts it
    yield Service(name=PROGRAM.service, executable=PROGRAM.executable, pidfile=PROGRAM.pidfile, renew=reload)
    yield Service(name=PROGRAM.replaces, running=False, enabled=False)


def _unit() -> Iterator[Resource]:
    """What the unit has HAProxy read besides its main file."""
    yield Directory(path=DROP_IN)
    unit = File(path=f"{DROP_IN}/users.conf", content=Template("edge/haproxy-users.conf.j2", directory=PROGRAM.users))
    yield unit
    yield Command(name="haproxy drop-in", run="systemctl daemon-reload", on_change=(unit,))
