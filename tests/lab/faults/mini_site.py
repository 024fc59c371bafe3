"""The smallest site that rolls: nginx on one edge, a web server on each of two nodes. One run of it takes seconds.

`python -m tests.lab.faults.mini_site LAB EDGES NODES STEP DELAY` deploys it with these versions, and kills itself with
SIGKILL at a step, or DELAY seconds later.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable

from lab.state import Lab
from provision.apply.events import (
    ChangeDone,
    ChangeStarted,
    Drained,
    Event,
    HostKnown,
    Listener,
    PutBack,
    RollingFinished,
)
from provision.apply.options import RunOptions
from provision.apply.run import Report
from provision.inventory import Inventory
from provision.plan.plan import Declaration
from provision.playbook.health_check import HealthCheck
from provision.playbook.plays import Play
from provision.playbook.serial import Share
from provision.remote.login import Login
from provision.resources import ConfigSet, File, Nginx, Package, Resource, Service
from provision.resources.base import Rendering
from provision.resources.configset.marks import mark
from provision.runner import run
from provision.traffic.probe import Target
from tests.fixed_site import FixedSite
from tests.lab.clients import EDGE, NODES
from tests.lab.conftest import LAB_INVENTORY

EDGE_HOST = "hdss7-11"
HOSTS = (EDGE_HOST, *NODES)
SOAK = 1.1  # longer than the edge's fail_timeout
PLAYS = (
    Play(name="packages", hosts="all", roles=(), line="site.yml:1"),
    Play(name="edge", hosts="edge", roles=(), line="site.yml:2"),
    Play(
        name="nodes",
        hosts="nodes",
        roles=(),
        serial=(Share(1),),
        drain="edge",
        soak=SOAK,
        max_fail=1,
        line="site.yml:3",
    ),
)
MEMBERS = {"all": HOSTS, "edge": HOSTS[:1], "nodes": tuple(NODES)}
TARGETS = (Target("http://od.com/", EDGE), Target("http://od.com/", EDGE, method="POST"))
SITES = ("first", "second")  # two files of the edge's set: half a set is when they disagree
MAIN = """\
user www-data;
pid /run/nginx.pid;
error_log /var/log/nginx/error.log;
events {}
http { include conf.d/*.conf; }
"""


def edge(version: str) -> Resource:
    """The edge's set: od.com to the nodes, and two sites that say which set is loaded."""
    servers = "".join(f"server {at}:81 max_fails=3 fail_timeout=1s{mark(node)}; " for node, at in NODES.items())
    way = "location / { proxy_connect_timeout 2s; proxy_pass http://nodes; }"
    said = {f"conf.d/{name}.conf": f"server {{ listen 80; server_name {name}.od.com; return 200 {version}; }}\n"
            for name in SITES}  # fmt: skip
    site = f"upstream nodes {{ {servers}}}\nserver {{ listen 80 default_server; {way} }}\n"
    return ConfigSet(
        directory="/etc/nginx", files={"nginx.conf": MAIN, "conf.d/od.com.conf": site, **said}, activation=Nginx()
    )


def node(version: str) -> tuple[Resource, ...]:
    """A node's web server: one file, and the program that reads it."""
    config = File(path="/etc/nginx/nginx.conf", content=MAIN.replace("include conf.d/*.conf;", f"""
server {{ listen 81; location / {{ add_header X-Version {version}; return 200 ok; }} }}
"""))  # fmt: skip
    return (config, Service(name="nginx", restart_on=(config,)))


def mini_site(lab: str, *, edges: str = "one", nodes: str = "one") -> FixedSite:
    """The site of a lab, with these versions."""
    inventory = Inventory.load([LAB_INVENTORY, Lab.named(lab).inventory])
    logins = {name: Login.of(inventory.host(name), user=None, key=None, become_password=None) for name in HOSTS}
    source = inventory.host(EDGE_HOST).var("apt_repository")["line"]
    first = (File(path="/etc/apt/sources.list.d/provision.list", content=f"{source}\n"), Package(names=("nginx",)))
    rendering = Rendering(lambda template: "")

    def declared(host: str) -> tuple[Declaration, ...]:
        play, own = (1, (edge(edges),)) if host == EDGE_HOST else (2, node(nodes))
        places = [*((0, r) for r in first), *((play, r) for r in own)]
        return tuple(Declaration(rendering.resource(r), "edge", "roles/edge.py:1", number) for number, r in places)

    return FixedSite(PLAYS, tuple(logins.values()), MEMBERS, declared, HealthCheck("http://od.com/", 81))


def step(event: Event) -> str:
    """What a run is about to do, or has done: the same words in every run of the same change. '' for no step."""
    match event:
        case ChangeStarted(host, item):
            return f"{host}: about to change {item.resource.key}"
        case ChangeDone(host, item):
            return f"{host}: {item.resource.key} is changed"
        case Drained(host):
            return f"{host} is out"
        case PutBack(host):
            return f"{host} is back"
        case HostKnown(host):
            return f"{host} is known"
        case RollingFinished():
            return "rolled"
        case _:
            return ""


def deploy(lab: str, on: Listener = lambda event: None, *, wait: float = 0, **versions: str) -> Report:
    """One run."""
    return run(mini_site(lab, **versions), RunOptions(wait=wait), on)


def at(wanted: str, do: Callable[[], None]) -> Listener:
    """Does something when a run comes to a step."""

    def listen(event: Event) -> None:
        if step(event) == wanted:
            do()

    return listen


def main() -> None:
    """The controller that dies."""
    lab, edges, nodes, wanted, delay = sys.argv[1:]

    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def soon() -> None:
        if float(delay):
            threading.Timer(float(delay), die).start()
        else:
            die()

    deploy(lab, at(wanted, soon), edges=edges, nodes=nodes)


if __name__ == "__main__":
    main()
