"""Traefik on every node, and its dashboard at traefik.od.com."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote
from typing import TYPE_CHECKING, Literal

import msgspec

from provision.inventory.changes import Free, Once, Rolled
from provision.inventory.types import HeaderName, Natural, Positive, Sender
from provision.resources import Manifests, Resource, Rollout, Template
from provision.resources.kubernetes.fixed import FixedField, FixedManifests
from roles._cluster import KUBECTL, members, node_name
from roles._fixed import declared
from roles._ports import check_site_ports
from roles._workloads import authority_digest, image, node_names

if TYPE_CHECKING:
    from provision.inventory import Host
    from roles._site import SiteSettings

NAMESPACE, NAME = "kube-system", "traefik-ingress"
PORT = "spec.template.spec.containers.0.ports.0.hostPort"
KINDS = ("DaemonSet", "Deployment")
SHORT_GRACE = (1, 25, 0)  # since then a probe may have a grace of its own by default


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Variables of the traefik role, all under `traefik:`."""

    kind: Once[Literal["DaemonSet", "Deployment"]] = "DaemonSet"  # one pod a node, or `replicas` anywhere
    replicas: Rolled[Natural] = 0  # of a Deployment; 0: one for each node
    trusted: Rolled[tuple[Sender, ...]] = ()  # further senders whose X-Forwarded-For is believed, beside the edges
    accept_seconds: Rolled[Natural] = 5  # new requests are taken that long after the end of a pod was decided
    grace_seconds: Rolled[Natural] = 10  # and that long those that it has may take
    soak_seconds: Free[Natural] = 12  # between one node's new pod and the next: longer than the edge's fail_timeout
    ready_timeout: Free[Positive] = 120  # seconds that each new pod may take to be ready
    log_level: Rolled[Literal["DEBUG", "INFO", "WARN", "ERROR"]] = "INFO"  # of Traefik's own log
    access_log: Rolled[bool] = True  # one line a request in the pod's log
    ingress_nginx: Rolled[bool] = False  # serve class nginx too, with the annotations of ingress-nginx
    ingress_nginx_headers: Rolled[tuple[HeaderName, ...]] = ()  # that its annotation custom-headers may set


def traefik(host: Host, site: SiteSettings, settings: Settings) -> Iterator[Resource]:
    """Traefik's objects, its pods replaced one after the other, and the dashboard answering on every node."""
    check_site_ports(host, site)
    nodes = members(host, "nodes")
    other = next(kind for kind in KINDS if kind != settings.kind)
    # both want the same port of every node: one would have to go before the first pod of the other comes
    yield FixedManifests(
        name="traefik-other-kind",
        content=Template("traefik/absent.yaml.j2", kind=other),
        kubectl=KUBECTL,
        version=site.kubernetes,
        absent=True,
        fixed=(FixedField(declared(host, "traefik.kind", settings.kind), f"{other} {NAMESPACE}/{NAME}", "kind"),),
    )
    port = declared(host, "site.traefik_port", site.traefik_port)
    objects = FixedManifests(
        name="traefik",
        fixed=(FixedField(port, f"{settings.kind} {NAMESPACE}/{NAME}", PORT),),
        content=Template(
            "traefik/traefik.yaml.j2",
            image=image(host, site, "traefik"),
            authority=authority_digest(host, site),
            replicas=settings.replicas or len(nodes),
            short_grace=tuple(map(int, site.kubernetes.split("."))) >= SHORT_GRACE,
            trusted=(*(edge.address for edge in members(host, "edge")), *settings.trusted),
        ),
        kubectl=KUBECTL,
        version=site.kubernetes,
    )
    yield objects
    if settings.ingress_nginx:
        # apart, so that it is removed with --prune and never where somebody else made it
        class_ = Template("traefik/ingress-nginx.yaml.j2")
        yield Manifests(name="traefik-ingress-nginx", content=class_, kubectl=KUBECTL, version=site.kubernetes)
    # /ping answers before the first route is loaded: a node serves once it answers for the dashboard
    dashboard = f"curl -fsS -m 2 -o /dev/null -H {quote(f'Host: traefik.{site.domain}')}"
    urls = [f"http://{node.address}:{site.traefik_port}/dashboard/" for node in nodes]
    serving = urls if settings.kind == "DaemonSet" else []
    yield Rollout(
        kind=settings.kind,
        namespace=NAMESPACE,
        name=NAME,
        kubectl=KUBECTL,
        of=objects,
        soak=settings.soak_seconds,
        timeout=settings.ready_timeout,
        nodes=tuple((node.name, node_name(node, site)) for node in nodes),
        declared=node_names(host, site) if settings.kind == "DaemonSet" else (),
        ready=" && ".join(f"{dashboard} {quote(url)}" for url in serving) or "true",
    )
