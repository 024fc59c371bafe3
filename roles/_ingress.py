"""What an application's Ingresses have to be so that the site serves them, told from the manifests alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from provision.errors import InputError
from provision.inventory.settings import bind
from provision.resources.kubernetes.diff import Object, place, title
from provision.spelling import listed, nearest
from roles import traefik
from roles._applications import OWN, Application
from roles._routes import KINDS, as_ingress

if TYPE_CHECKING:
    from provision.inventory import Host
    from roles._site import SiteSettings

CLASS, OF_NGINX = "traefik", "nginx"
REGEX = "RegularExpression"
NGINX = "nginx.ingress.kubernetes.io"
ANNOTATION = "kubernetes.io/ingress.class"  # what came before spec.ingressClassName, and still wins over it


@dataclass(frozen=True)
class Served:
    """What the site's Traefik reads. classes: of Ingresses, the default one first. routes: of the Gateway API."""

    classes: tuple[str, ...] = (CLASS,)
    routes: bool = False

    @staticmethod
    def by(host: Host) -> Served:
        """What the settings of this host say."""
        settings = bind(traefik.Settings, host, "traefik")
        return Served((CLASS, OF_NGINX) if settings.ingress_nginx else (CLASS,), settings.gateway)


def check_ingresses(
    objects: Sequence[Object], source: str, app: Application, site: SiteSettings, served: Served = Served()
) -> None:
    """Raises InputError unless one Ingress or HTTPRoute leads the application's URL to a Service of the same set, and
    every one of them is served here, for names in the site's domain, to Services and ports that the set holds.

    What the live cluster may hold besides does not count: nobody could tell without a host, and it would go or stay
    whatever becomes of this set.
    """
    ingresses = [item for item in objects if item["kind"] == "Ingress"]
    for ingress in ingresses:
        _check_class(ingress, source, served.classes)
    ingresses += [as_ingress(item, source, served=served.routes) for item in objects if item["kind"] in KINDS]
    services = {place(item)[1:]: item for item in objects if item["kind"] == "Service"}
    for ingress in ingresses:
        for host in _hosts(ingress):
            _check_host(ingress, host, source, site)
        for backend in _backends(ingress):
            _check_backend(ingress, backend, services, source)
    rules = [rule for ingress in ingresses for rule in _rules(ingress)]
    if not any(rule.get("host") == app.host for rule in rules):
        hosts = sorted({str(rule.get("host")) for rule in rules})
        near = nearest(app.host, hosts)
        raise InputError(
            f"no Ingress or HTTPRoute leads to the application {app.name}",
            line=source,
            found=f"Its host is {app.host}; those there have {listed(hosts) if hosts else 'none'}",
            do=f"Write host: {app.host} into it{f' instead of {near}' if near else ''}",
        )
    if not any(_leads(path, app.path) for path in _of_host(ingresses, app.host)):
        raise InputError(
            f"no Ingress or HTTPRoute leads {app.url} anywhere",
            line=source,
            found=f"None of the paths of {app.host} takes {app.path}",
            do=f"Set apps.{app.name}.path to one that is there, or add the path there",
        )


def check_paths(sets: Mapping[str, Sequence[Object]]) -> None:
    """Raises InputError for a path that two Ingresses lead. sets: the objects of each file.

    Those of class nginx may share one: a canary does.
    """
    led: dict[tuple[str, str, str], tuple[str, str]] = {}
    for source, objects in sets.items():
        for item in (each for each in objects if each["kind"] == "Ingress" and not _is_of_nginx(each)):
            for rule in _rules(item):
                for path in _paths(rule):
                    key = (str(rule.get("host") or ""), str(path.get("path") or "/"), str(path.get("pathType")))
                    other, where = led.setdefault(key, (title(item), source))
                    if (other, where) != (title(item), source):
                        raise InputError(
                            f"{title(item)} leads a path that another Ingress leads",
                            line=source,
                            found=f"{key[0]}{key[1]} ({key[2]}) is led by {other} too"
                            + (f", in {where}" if where != source else ""),
                            do="Leave it in one of them: which one Traefik takes would be chance",
                        )


def _check_class(ingress: Object, source: str, classes: Sequence[str]) -> None:
    for name, written in ((ANNOTATION, _class(ingress)), ("ingressClassName", _spec(ingress).get("ingressClassName"))):
        if written not in (None, *classes):
            raise InputError(
                f"{title(ingress)} is of a class that nobody serves here",
                line=source,
                found=f"Its {name} is {written}; the site's Traefik serves {' and '.join(classes)}",
                do=f"Write ingressClassName: {CLASS}, or leave it out"
                + ("; or set traefik.ingress_nginx: true" if written == OF_NGINX else ""),
            )


def _check_host(ingress: Object, host: str, source: str, site: SiteSettings) -> None:
    name = host.removesuffix(f".{site.domain}")
    if not host:
        found, do = "One of its rules has no host: it would answer for every name of the site", "Give each rule a host"
    elif name == host:
        found, do = f"{host} is no name in {site.domain}, so no request for it comes here", "Write a name in the domain"
    elif name in OWN or name == "*":
        found, do = f"{host} takes requests for sites of the site's own", "Write another host"
    else:
        return
    raise InputError(f"{title(ingress)} has a host that can't be served", line=source, found=found, do=do)


def _check_backend(
    ingress: Object, backend: Mapping[str, Any], services: Mapping[tuple[str, str], Object], source: str
) -> None:
    wanted = backend.get("service") or {}
    name, port = str(wanted.get("name", "")), wanted.get("port") or {}
    _, namespace, _ = place(ingress)
    service = services.get((namespace, name))
    if service is None:
        there = [other for held, other in services if held == namespace]
        near = nearest(name, there)
        raise InputError(
            f"{title(ingress)} leads to a Service that is not in this file",
            line=source,
            found=f"It is {name} in the namespace {namespace}; in the file are {listed(there) if there else 'none'}",
            do=f"Did you mean {near}?" if near else "Add the Service: an application is one set, with all it needs",
        )
    ports = _spec(service).get("ports") or []
    if not any(
        port.get("number") == p.get("port") if "number" in port else port.get("name") == p.get("name") for p in ports
    ):
        has = ", ".join(f"{p.get('port')} ({p['name']})" if p.get("name") else str(p.get("port")) for p in ports)
        raise InputError(
            f"{title(ingress)} leads to a port that Service {name} does not have",
            line=source,
            found=f"It is {port.get('number', port.get('name'))}; the Service has {has or 'none'}",
            do="Write one of those: what counts is `port` of the Service, not its targetPort",
        )


def _of_host(ingresses: Sequence[Object], host: str) -> Iterator[Mapping[str, Any]]:
    """Every path of a host with the type by which it is matched.

    Those for ingress-nginx are regular expressions, unless Exact, once one Ingress of the host has use-regex or
    rewrite-target (build.go and translator.go of Traefik's provider).
    """
    rules = [(ingress, rule) for ingress in ingresses for rule in _rules(ingress) if rule.get("host") == host]
    regex = any(_wants_regex(ingress) for ingress, _ in rules)
    other = {"pathType": REGEX if regex else "Prefix"}
    for ingress, rule in rules:
        nginx = _is_of_nginx(ingress)
        yield from ({**path, **other} if nginx and path.get("pathType") != "Exact" else path for path in _paths(rule))


def _is_of_nginx(ingress: Object) -> bool:
    return ingress["kind"] == "Ingress" and OF_NGINX in (_spec(ingress).get("ingressClassName"), _class(ingress))


def _wants_regex(ingress: Object) -> bool:
    annotations = ingress["metadata"].get("annotations") or {}
    wanted = annotations.get(f"{NGINX}/use-regex") == "true" or annotations.get(f"{NGINX}/rewrite-target")
    return bool(wanted) and _is_of_nginx(ingress)


def _class(ingress: Object) -> str | None:
    """What the annotation of before says."""
    found: str | None = (ingress["metadata"].get("annotations") or {}).get(ANNOTATION)
    return found


def _leads(path: Mapping[str, Any], asked: str) -> bool:
    """Whether a path of an Ingress takes what is asked. ImplementationSpecific is a prefix, as Traefik has it."""
    written = str(path.get("path") or "/")
    if path.get("pathType") == REGEX:
        try:
            return re.match(written, asked, re.IGNORECASE) is not None
        except re.error:  # not all that Go takes is Python's: Traefik will judge it
            return True
    if path.get("pathType") == "Exact":
        return written == asked
    if path.get("pathType") == "Prefix":
        return f"{asked}/".startswith(f"{written.rstrip('/')}/")
    return asked.startswith(written)


def _spec(item: Object) -> Mapping[str, Any]:
    return item.get("spec") or {}


def _rules(ingress: Object) -> Sequence[Mapping[str, Any]]:
    return _spec(ingress).get("rules") or ()


def _paths(rule: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return (rule.get("http") or {}).get("paths") or ()


def _hosts(ingress: Object) -> Iterator[str]:
    """The host of every rule; '' for what takes every name."""
    if _spec(ingress).get("defaultBackend"):
        yield ""
    yield from (str(rule.get("host") or "") for rule in _rules(ingress))


def _backends(ingress: Object) -> Iterator[Mapping[str, Any]]:
    if default := _spec(ingress).get("defaultBackend"):
        yield default
    yield from (path["backend"] for rule in _rules(ingress) for path in _paths(rule) if "backend" in path)
