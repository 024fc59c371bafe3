"""The course's workload, and two more that show what a pod sees: an echo of HTTP and one of WebSocket."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from provision.inventory.changes import Free
from provision.inventory.types import Port
from provision.resources import Manifests, Resource, Rollout, Template
from roles._applications import ROUTED
from roles._cluster import KUBECTL, members
from roles._ports import check_node_port
from roles._workloads import image, node_names, routed
from roles.traefik import GATEWAY, NAMESPACE, serves_routes

if TYPE_CHECKING:
    from provision.inventory import Host
    from roles._site import SiteSettings

WEBSOCKET_PORT = 8765
HTTP_PORT = 8080
LINGERS = 5  # seconds that a pod goes on answering once it was told to end: Traefik takes up to 2 to leave it out
# agnhost's netexec also has /shell, /exit, /shutdown, /dial and /upload (test/images/agnhost/netexec in Kubernetes):
# whoever reaches the edge could run commands in the pod, or ask hosts behind it
HARMLESS = ("/", "/clientip", "/echo", "/header", "/hostname")


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Variables of the nginx_ds role, all under `nginx_ds:`."""

    node_port: Free[Port] = 8000  # of the service nginx-ds on every node; an earlier one ends
    demo: Free[bool] = True  # demo.od.com: agnhost's netexec says what a pod sees (/header?key=, /clientip)
    ws: Free[bool] = True  # ws.od.com: a WebSocket server that says back what it hears


class Echo(msgspec.Struct, frozen=True):
    """A server that says back what reached it: name of its objects and of its site, image, arguments, port.

    paths: the only ones that its Ingress leads to; () is all of them.
    """

    name: str
    image: str
    arguments: tuple[str, ...]
    port: int
    paths: tuple[str, ...] = ()


def node_ports(site: SiteSettings, settings: Settings) -> tuple[int, ...]:
    """What kube-proxy answers on every node by itself: asked while other nodes are out."""
    return (settings.node_port,)


def nginx_ds(host: Host, site: SiteSettings, settings: Settings) -> Iterator[Resource]:
    """nginx on every node behind a NodePort, nginx-dp behind a ClusterIP, the echo servers behind Ingresses."""
    check_node_port(host, site, settings.node_port, ("nginx_ds", "node_port"))
    echoes = _echoes(host, site, settings)
    objects = Manifests(
        name="nginx-ds",
        content=Template(
            "nginx_ds/nginx.yaml.j2",
            nginx=image(host, site, "nginx"),
            lingers=LINGERS,
            echoes=echoes,
            replicas=min(2, len(members(host, "nodes"))),
        ),
        kubectl=KUBECTL,
        version=site.kubernetes,
    )
    yield objects
    if settings.demo and serves_routes(host):
        demo = Template("nginx_ds/route.yaml.j2", gateway=GATEWAY, namespace=NAMESPACE, name=ROUTED, paths=HARMLESS)
        yield Manifests(name="nginx-ds-route", content=demo, kubectl=KUBECTL, version=site.kubernetes)
    yield Rollout(
        kind="DaemonSet",
        namespace="default",
        name="nginx-ds",
        kubectl=KUBECTL,
        of=objects,
        declared=node_names(host, site),
        ready=routed(host, site, "nginx"),
    )
    yield Rollout(kind="Deployment", namespace="kube-public", name="nginx-dp", kubectl=KUBECTL, of=objects)
    for echo in echoes:
        yield Rollout(
            kind="Deployment",
            namespace="default",
            name=echo.name,
            kubectl=KUBECTL,
            of=objects,
            ready=routed(host, site, echo.name),
        )


def _echoes(host: Host, site: SiteSettings, settings: Settings) -> tuple[Echo, ...]:
    echoes = []
    if settings.demo:
        arguments = ("netexec", f"--http-port={HTTP_PORT}", f"--delay-shutdown={LINGERS}")
        echoes.append(Echo("demo", image(host, site, "agnhost"), arguments, HTTP_PORT, HARMLESS))
    if settings.ws:
        echoes.append(Echo("ws", image(host, site, "websocket"), (), WEBSOCKET_PORT))
    return tuple(echoes)
