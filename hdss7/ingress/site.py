"""What the site serves, for `ingress.check` and `lint`: from its settings and its declared manifests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hdss7.ingress.honoured import version_of
from hdss7.ingress.ingresses import CONTROLLER
from hdss7.ingress.verdicts import CLASS, Served
from provision.errors import InputError
from provision.inventory import Host
from provision.inventory.settings import SITE
from provision.project import Project
from provision.resources import Manifests
from provision.resources.kubernetes.diff import title
from provision.spelling import listed

if TYPE_CHECKING:
    from roles._site import SiteSettings

NGINX = "k8s.io/ingress-nginx"  # the controller that Traefik takes over; under another name it serves nothing
IMAGE = "traefik"


@dataclass(frozen=True)
class DeclaredObject:
    """One object of a role's manifests, and where it is declared."""

    item: dict[str, Any]
    host: str
    role: str
    line: str


def served(project: Project) -> Served:
    """The classes that the declared Traefik serves, and what else decides about annotations."""
    host = project.inventory.hosts[0]
    traefik = project.roles.settings(host, "traefik")
    classes = {"traefik": False, **({"nginx": True} if traefik.ingress_nginx else {})}
    for each in declared(project, project.inventory.hosts):
        if each.item["kind"] == "IngressClass" and (by := _controller(each.item)) in _controllers(traefik):
            classes[each.item["metadata"]["name"]] = by == NGINX
    edge = project.roles.settings(host, "edge")
    return Served(classes, bool(edge.tls.source), frozenset(traefik.ingress_nginx_headers))


def traefik_version(project: Project) -> str:
    """The version in the tag of the site's image, or ''."""
    site: SiteSettings = project.roles.settings(project.inventory.hosts[0], SITE)
    image = site.images.get(IMAGE)
    return version_of(image.name) if image else ""


def declared(project: Project, hosts: Sequence[Host]) -> Iterator[DeclaredObject]:
    """Every object that roles want in the cluster, as these hosts' resources."""
    for host in hosts:
        for declaration in project.declared(host.name):
            resource = declaration.resource
            if isinstance(resource, Manifests) and not resource.absent:
                for item in resource.objects:
                    yield DeclaredObject(dict(item), host.name, declaration.role, declaration.line)


def check_classes(project: Project, hosts: Sequence[Host]) -> None:
    """Raises InputError for a class with two controllers, and for an Ingress whose class nobody serves.

    Judges nothing where no role declares Traefik: another controller may be there.
    """
    objects = list(declared(project, hosts))
    if not any(each.role == IMAGE for each in objects):
        return
    controllers: dict[str, DeclaredObject] = {}
    for each in objects:
        if each.item["kind"] == "IngressClass":
            name = each.item["metadata"]["name"]
            other = controllers.setdefault(name, each)
            if _controller(other.item) != _controller(each.item):
                raise _two_controllers(name, other, each)
    mine = _controllers(project.roles.settings(project.inventory.hosts[0], IMAGE))
    for name, each in controllers.items():
        if _controller(each.item) == NGINX and NGINX not in mine:
            raise _unserved(each, f"IngressClass {name} is ingress-nginx's, whom nobody replaces here")
    for each in objects:
        if each.item["kind"] == "Ingress":
            _check_ingress(each, controllers)


def _check_ingress(each: DeclaredObject, controllers: dict[str, DeclaredObject]) -> None:
    annotations = each.item["metadata"].get("annotations") or {}
    name = each.item["spec"].get("ingressClassName") or annotations.get(CLASS)
    if name and name not in controllers:
        known = f"Declared classes: {listed(sorted(controllers))}" if controllers else "No class is declared"
        raise _unserved(each, f"{title(each.item)}: nobody serves class '{name}'", known)


def _controllers(traefik: Any) -> tuple[str, ...]:
    return (CONTROLLER, NGINX) if traefik.ingress_nginx else (CONTROLLER,)


def _controller(item: dict[str, Any]) -> str:
    return str(item["spec"].get("controller", ""))


def _two_controllers(name: str, one: DeclaredObject, other: DeclaredObject) -> InputError:
    return InputError(
        f"IngressClass {name} has two controllers",
        host=other.host,
        role=other.role,
        line=other.line,
        found=f"{_controller(other.item)} here, {_controller(one.item)} in role {one.role} ({one.line})",
        do="Give one of them another name: each class is served by one",
    )


def _unserved(each: DeclaredObject, what: str, found: str = "") -> InputError:
    return InputError(
        what,
        host=each.host,
        role=each.role,
        line=each.line,
        found=found,
        do="Set traefik.ingress_nginx: true for class nginx, or name a class that is served",
    )
