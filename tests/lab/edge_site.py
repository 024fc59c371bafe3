"""An edge as role edge makes it, in front of two nodes that are web servers alone: it stands in seconds.

A node answers its name; /seen answers what reached it; its version is a file that a roll changes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from lab import commands
from lab.state import Lab
from provision.apply.events import Event
from provision.apply.options import RunOptions
from provision.apply.run import Report
from provision.inventory import Inventory
from provision.inventory.settings import SITE
from provision.plan.plan import Declaration
from provision.playbook.health_check import HealthCheck
from provision.playbook.plays import Play, RoleUse
from provision.playbook.roles import Roles
from provision.playbook.serial import Share
from provision.remote.login import Login
from provision.resources import Change, File, Package, Service
from provision.resources.base import Rendering
from provision.runner import run
from provision.search_path import SearchPath
from provision.traffic.probe import Prober, Target
from tests.fixed_site import FixedSite
from tests.lab.clients import EDGE, NODES, dialer
from tests.lab.conftest import LAB_INVENTORY, ROOT, running
from tests.lab.typed import Typed

EDGE_HOST = "hdss7-11"
HOSTS = (EDGE_HOST, *NODES)
SOAK = 1.1
EDGE_PLAY = Play(name="edge", hosts="edge", roles=(RoleUse("base"), RoleUse("edge")), line="site.yml:1")
NODES_PLAY = Play(name="nodes", hosts="nodes", roles=(), serial=(Share(1),), drain="edge", soak=SOAK, line="site.yml:2")
NODE = """\
user www-data;
worker_rlimit_nofile 9000;
pid /run/nginx.pid;
error_log /var/log/nginx/error.log;
events { worker_connections 8000; }
http {
    access_log off;
    keepalive_requests 100000;
    large_client_header_buffers 4 64k;
    server {
        listen 81 backlog=4096;
        root /srv;
        location / { add_header X-Version %(version)s; return 200 "%(name)s\\n"; }
        location /seen { return 200 "$http_x_forwarded_for $http_x_forwarded_port $http_host\\n"; }
        location /slow { limit_rate 100k; try_files /slow =404; }
    }
}
"""
SLOW = 3_000_000  # bytes of what /slow gives, in thirty seconds


class EdgeSite(Typed):
    """The small site of a lab."""

    def site(self, program: str, version: str, *, max_fail: int = 1, **edge: Any) -> FixedSite:
        """The site as it shall be. version: of the nodes, '' to leave them alone. edge: further settings."""
        plays = (EDGE_PLAY, replace(NODES_PLAY, max_fail=max_fail))
        roles = Roles(SearchPath.of(ROOT))
        extra = [json.dumps({"edge": {"program": program, **edge}})]
        namespaces = frozenset((*roles.names(), SITE))
        inventory = Inventory.load([LAB_INVENTORY, Lab.named(self.name).inventory], extra, namespaces=namespaces)
        roles.prepare(inventory, plays)  # certificates, where the edge speaks TLS
        logins = tuple(Login.of(inventory.host(h), user=None, key=None, become_password=None) for h in HOSTS)
        source = inventory.host(EDGE_HOST).var("apt_repository")["line"]

        def declared(host: str) -> tuple[Declaration, ...]:
            if host == EDGE_HOST:
                return tuple(roles.declare(inventory.host(host), plays))
            if not version:
                return ()
            config = File(path="/etc/nginx/nginx.conf", content=NODE % {"name": host, "version": version})
            resources = (
                File(path="/etc/apt/sources.list.d/provision.list", content=f"{source}\n"),
                Package(names=("nginx", "curl", "openssl")),
                File(path="/srv/slow", content="x" * SLOW),
                config,
                Service(name="nginx", restart_on=(config,)),
            )
            rendering = Rendering(lambda template: "")
            return tuple(Declaration(rendering.resource(r), "role", "roles/role.py:1", 1) for r in resources)

        members = {"all": HOSTS, "edge": (EDGE_HOST,), "nodes": tuple(NODES)}
        return FixedSite(plays, logins, members, declared, HealthCheck("http://a.od.com/", 81))

    def deploy(
        self,
        program: str,
        version: str = "",
        on: Callable[[Event], None] = lambda _: None,
        *,
        check: bool = False,
        max_fail: int = 1,
        **edge: Any,
    ) -> Report:
        """One run."""
        return run(self.site(program, version, max_fail=max_fail, **edge), RunOptions(check=check), on)

    def planned(self, program: str, **edge: Any) -> Mapping[str, str]:
        """What a run would change on the edge: resource -> summary."""
        (host,) = (h for h in self.deploy(program, check=True, **edge).hosts if h.name == EDGE_HOST)
        assert host.plan is not None, str(host.error)
        return {item.resource.key: item.outcome.summary for item in host.plan.items if isinstance(item.outcome, Change)}

    def edge(self, script: str) -> str:
        """What a script prints on the edge."""
        return self.on(EDGE_HOST, script)

    def clients(self, rate: float = 50.0, count: int = 4) -> Prober:
        """They ask GET and POST through the edge. As a context manager."""
        targets = (Target("http://a.od.com/", EDGE), Target("http://b.od.com/", EDGE, method="POST"))
        return Prober(targets, dialer(self.name), rate=rate, clients=count)

    def states(self) -> dict[str, str]:
        """BACKEND/SERVER of the running HAProxy -> its state: admin flags and whether it is up."""
        said = self.edge("echo show servers state | socat - UNIX-CONNECT:/run/haproxy/admin.sock")
        rows = [line.split() for line in said.splitlines() if line[:1].isdigit() and line.count(" ") > 10]
        return {f"{row[1]}/{row[3]}": self._state(int(row[6]), row[5]) for row in rows}

    @staticmethod
    def _state(flags: int, up: str) -> str:
        return "maint" if flags & 1 else "drain" if flags & 8 else "up" if up == "2" else "down"


def errors(report: Report) -> list[str]:
    """What the hosts' errors say."""
    return [str(host.error) for host in report.hosts if host.error]


@contextmanager
def edge_site(name: str, program: str) -> Iterator[EdgeSite]:
    """It stands with this program, and is forgotten at the end."""
    with running(name, wait_artifacts=False):  # as bare hosts, which take few of the machine's inotify instances
        commands.up(name, (LAB_INVENTORY,), say=lambda _: None)  # what they fetch
        made = EdgeSite(name)
        report = made.deploy(program, "one")
        assert not errors(report), errors(report)
        yield made
