"""Traefik on every node, and its dashboard at traefik.od.com."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote
from typing import TYPE_CHECKING, Literal

import msgspec

from provision.errors import InputError
from provision.inventory.changes import Free, Once, Rolled
from provision.inventory.settings import bind
from provision.inventory.types import HeaderName, Natural, OptionalSha256, OptionalUrl, Positive, Sender, Version
from provision.resources import Definitions, Manifests, Resource, Rollout, Template
from provision.resources.kubernetes.fixed import FixedField, FixedManifests
from roles._cluster import KUBECTL, entrance, members, node_name
from roles._fixed import declared
from roles._ports import check_site_ports
from roles._workloads import authority_digest, image, node_names
from roles.traefik_port import reachable

if TYPE_CHECKING:
    from provision.inventory import Host
    from roles._site import SiteSettings

NAMESPACE, NAME = "kube-system", "traefik-ingress"
PORT = "spec.template.spec.containers.0.ports.0.hostPort"
KINDS = ("DaemonSet", "Deployment")
GATEWAY, GROUP = "site", "gateway.networking.k8s.io"
SHORT_GRACE = (1, 25, 0)  # since then a probe may have a grace of its own by default


class GatewayApi(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The kinds of the Gateway API: the file standard-install.yaml of one of its releases."""

    version: Free[Version] = "1.6.3"  # of its project; a newer one in the cluster stays
    url: Free[OptionalUrl] = ""  # where the first master fetches it
    sha256: Free[OptionalSha256] = ""  # its SHA-256


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
    access_log: Rolled[bool] = True  # one line of JSON a request in the pod's log
    ingress_nginx: Rolled[bool] = False  # serve class nginx too, with the annotations of ingress-nginx
    ingress_nginx_headers: Rolled[tuple[HeaderName, ...]] = ()  # that its annotation custom-headers may set
    gateway: Rolled[bool] = False  # serve the HTTPRoutes and GRPCRoutes of the Gateway API too
    gateway_api: Free[GatewayApi] = GatewayApi()  # its kinds, where the cluster lacks them


def serves_routes(host: Host) -> bool:
    """Whether the site serves routes of the Gateway API: as the first master has it, because it applies Traefik."""
    return any(bind(Settings, master, "traefik").gateway for master in members(host, "masters")[:1])


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
    if settings.gateway:
        yield _definitions(host, settings)
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
            address=entrance(host, site) if settings.gateway else "",
        ),
        kubectl=KUBECTL,
        version=site.kubernetes,
    )
    yield objects
    if settings.ingress_nginx:
        # apart, so that it is removed with --prune and never where somebody else made it
        class_ = Template("traefik/ingress-nginx.yaml.j2")
        yield Manifests(name="traefik-ingress-nginx", content=class_, kubectl=KUBECTL, version=site.kubernetes)
    if settings.gateway:
        gateway = Template("traefik/gateway.yaml.j2", gateway=GATEWAY, namespace=NAMESPACE)
        yield Manifests(name="traefik-gateway", content=gateway, kubectl=KUBECTL, version=site.kubernetes)
    # /ping answers before the first route is loaded: a node serves once it answers for the dashboard
    dashboard = f"curl -fsS -m 2 -o /dev/null -H {quote(f'Host: traefik.{site.domain}')}"
    urls = [f"http://{node.address}:{site.traefik_port}/dashboard/" for node in reachable(host)]
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


def _definitions(host: Host, settings: Settings) -> Definitions:
    """The kinds that Traefik watches: where one is missing, it serves no route at all."""
    if not (settings.gateway_api.url and settings.gateway_api.sha256):
        raise InputError(
            "traefik.gateway is on, and nothing says where the kinds of the Gateway API come from",
            line=host.origin("traefik", "gateway"),
            found="traefik.gateway_api has no url, or no sha256",
            do="Set traefik.gateway_api.url and .sha256 to those of standard-install.yaml of a release of gateway-api",
        )
    kinds = (
        "gatewayclasses",
        "gateways",
        "httproutes",
        "grpcroutes",
        "tlsroutes",
        "referencegrants",
        "backendtlspolicies",
    )
    return Definitions(
        name="gateway-api",
        kinds=tuple(f"{kind}.{GROUP}" for kind in kinds),
        version=settings.gateway_api.version,
        annotation=f"{GROUP}/bundle-version",
        url=settings.gateway_api.url,
        sha256=settings.gateway_api.sha256,
        kubectl=KUBECTL,
    )
