"""What Traefik makes of each Ingress: its routers, or why there are none.

Source: pkg/provider/kubernetes/ingress/kubernetes.go of Traefik 3.7.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from urltrace.kubernetes.endpoints import addresses, why_none
from urltrace.kubernetes.objects import (
    Backend,
    BackendPort,
    Ingress,
    IngressPath,
    IngressRule,
    Objects,
    Service,
    ServicePort,
)
from urltrace.traefik.class_rule import why_not_processed
from urltrace.traefik.provider import Provider
from urltrace.traefik.routers import Router

ANNOTATION = "traefik.ingress.kubernetes.io/router."
DEFAULT, DEFAULT_BACKEND = "default-router", "default-backend"
EVERYTHING, LOWEST = 'PathPrefix("/")', -(2**31)  # the rule and the priority of a default backend
MATCHERS = ("Path", "PathPrefix", "PathRegexp")
Cause = Literal["class", "namespace", "backend", "service", "port", "endpoints", "path", "secret", "annotation"]


@dataclass(frozen=True)
class Refusal:
    """Why an Ingress, or one of its paths, has no router. do: what to change. path: '' for the whole Ingress."""

    cause: Cause
    sentence: str
    do: str
    path: str = ""


@dataclass(frozen=True)
class Read:
    """One Ingress as this Traefik reads it. warnings: what goes wrong although its routers are loaded."""

    ingress: Ingress
    routers: tuple[Router, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    warnings: tuple[Refusal, ...] = ()


def read_ingresses(objects: Objects, provider: Provider) -> tuple[Read, ...]:
    """Every Ingress of `objects`, read as a Traefik with these flags reads it."""
    return tuple(read_ingress(ingress, objects, provider) for ingress in objects.ingresses or ())


def read_ingress(ingress: Ingress, objects: Objects, provider: Provider) -> Read:
    """One Ingress: its routers, and why each path that has none is left out."""
    refused = why_not_processed(ingress, objects.classes, provider)
    if refused:
        outside = provider.namespaces and ingress.metadata.namespace not in provider.namespaces
        cause: Cause = "namespace" if outside else "class"
        return Read(ingress, refusals=(Refusal(cause, *refused),))
    made = list(_made(ingress, objects, provider))
    routers = _named(ingress, [(key, router) for key, router in made if isinstance(router, Router)])
    refusals = tuple(one for _, one in made if isinstance(one, Refusal))
    return Read(ingress, routers, refusals, tuple(_missing_secrets(ingress, objects)))


def _made(ingress: Ingress, objects: Objects, provider: Provider) -> Iterator[tuple[str, Router | Refusal]]:
    spec = ingress.spec
    if not spec.rules and spec.default_backend:
        found = _backend(ingress, spec.default_backend, objects, provider)
        yield DEFAULT, found if isinstance(found, Refusal) else _router(ingress, EVERYTHING, DEFAULT_BACKEND, provider)
    for rule in spec.rules:
        for path in rule.http.paths if rule.http else ():
            found = _backend(ingress, path.backend, objects, provider)
            made = found if isinstance(found, Refusal) else _path_router(ingress, rule, path, found, provider)
            where = f"{rule.host}{path.path}"
            key = normalized(f"{ingress.metadata.namespace}-{ingress.metadata.name}-{where}")
            yield key, replace(made, path=where) if isinstance(made, Refusal) else made


def _backend(ingress: Ingress, backend: Backend, objects: Objects, provider: Provider) -> str | Refusal:
    """The name of the service that Traefik makes of a backend, or why it makes none."""
    if backend.resource is not None or backend.service is None:
        return Refusal("backend", "its backend is not a Service", "Name a Service: Traefik takes nothing else.")
    wanted, namespace = backend.service, ingress.metadata.namespace
    name = normalized(f"{namespace}-{wanted.name}-{wanted.port}")
    if objects.services is None:
        return name
    service = objects.service(f"{namespace}/{wanted.name}")
    if service is None:
        elsewhere = [one.metadata.namespace for one in objects.services if one.metadata.name == wanted.name]
        hint = f"; there is one in {elsewhere[0]}, which an Ingress can't use" if elsewhere else ""
        return Refusal(
            "service",
            f"Service {namespace}/{wanted.name} does not exist{hint}",
            f"Create the Service, or correct its name in Ingress {ingress.key}.",
        )
    ports = [port for port in service.spec.ports if _means(wanted.port, port)]
    if not ports:
        known = ", ".join(f"{port.port}{f' ({port.name})' if port.name else ''}" for port in service.spec.ports)
        return Refusal(
            "port",
            f"Service {service.key} has no port {wanted.port}, only {known or 'none'}",
            f"Name a port of the Service (not its targetPort) in Ingress {ingress.key}.",
        )
    return _served(service, ports[0], objects, provider) or name


def _means(wanted: BackendPort, port: ServicePort) -> bool:
    return wanted.number == port.port or bool(wanted.name and wanted.name == port.name)


def _served(service: Service, port: ServicePort, objects: Objects, provider: Provider) -> Refusal | None:
    """Why a Service gives Traefik no server; None when it does."""
    annotations = {name.rpartition("/")[2].lower(): value for name, value in service.metadata.annotations.items()}
    if service.spec.type == "ExternalName":
        if provider.allow_external_names:
            return None
        sentence = f"Service {service.key} is an ExternalName, and this Traefik allows none"
        return Refusal("service", sentence, "Set --providers.kubernetesingress.allowexternalnameservices=true.")
    native = annotations.get("service.nativelb", str(provider.native_balancing)).lower() == "true"
    by_node = annotations.get("service.nodeportlb", "false") == "true" and service.spec.type == "NodePort"
    if native or by_node or provider.allow_empty or objects.slices is None or addresses(objects, service, port):
        return None
    return Refusal("endpoints", *why_none(objects, service, port))


def _path_router(
    ingress: Ingress, rule: IngressRule, path: IngressPath, service: str, provider: Provider
) -> Router | Refusal:
    matchers = [f"Host({go_quoted(rule.host)})"] if rule.host else []
    if path.path:
        matcher = _path_matcher(ingress, path)
        if matcher not in MATCHERS:
            return Refusal("annotation", f"router.pathmatcher is {matcher!r}", f"Write one of {', '.join(MATCHERS)}.")
        matchers.append(_path_rule(matcher, path.path, provider.strict_prefix))
    return _router(ingress, " && ".join(matchers), service, provider)


def _path_matcher(ingress: Ingress, path: IngressPath) -> str:
    if path.path_type in (None, "", "ImplementationSpecific"):
        return _annotations(ingress).get("pathmatcher", "PathPrefix")
    return "Path" if path.path_type == "Exact" else "PathPrefix"


def _path_rule(matcher: str, path: str, strict: bool) -> str:
    if not strict or matcher != "PathPrefix" or path == "/":
        return f"{matcher}({go_quoted(path)})"
    bare = path.removesuffix("/")
    return f"(Path({go_quoted(bare)}) || PathPrefix({go_quoted(bare + '/')}))"


def _router(ingress: Ingress, rule: str, service: str, provider: Provider) -> Router:
    """A router of the Ingress; its name comes when all are known."""
    said = _annotations(ingress)
    priority = said.get("priority", "0")
    return Router(
        name="",
        rule=rule,
        service=service,
        entrypoints=_list(said.get("entrypoints", "")) or provider.default_entrypoints,
        middlewares=_list(said.get("middlewares", "")),
        priority=LOWEST if service == DEFAULT_BACKEND else int(priority) if priority.lstrip("-").isdigit() else 0,
        syntax=said.get("rulesyntax", provider.syntax),
        tls=any((name == "tls" and value == "true") or name.startswith("tls.") for name, value in said.items()),
        ingress=ingress.key,
    )


def _named(ingress: Ingress, routers: list[tuple[str, Router]]) -> tuple[Router, ...]:
    """Each router with the name that Traefik lists; those that would share one get a hash of their rule."""
    keys = [key for key, _ in routers]
    named = {}
    for key, router in routers:
        digest = hashlib.sha256(router.rule.encode()).hexdigest()[:20]
        name = f"{key}-{digest}" if keys.count(key) > 1 else key
        named[name] = replace(router, name=f"{name}@kubernetes")
    return tuple(named.values())


def _missing_secrets(ingress: Ingress, objects: Objects) -> Iterator[Refusal]:
    for tls in ingress.spec.tls:
        key = f"{ingress.metadata.namespace}/{tls.secret_name}"
        if key in objects.missing_secrets:
            yield Refusal(
                "secret",
                f"Secret {key} of Ingress {ingress.key} does not exist, so Traefik serves its own certificate",
                f"Create it: kubectl -n {ingress.metadata.namespace} create secret tls {tls.secret_name} …",
            )


def _annotations(ingress: Ingress) -> dict[str, str]:
    """What is said about routers, by its name in lower case."""
    return {
        name[len(ANNOTATION) :].lower(): value
        for name, value in ingress.metadata.annotations.items()
        if name.lower().startswith(ANNOTATION)
    }


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def normalized(name: str) -> str:
    """Letters and digits, with one hyphen between the parts."""
    return "-".join("".join(letter if letter.isalnum() else " " for letter in name).split())


def go_quoted(text: str) -> str:
    """As Go's %q prints it."""
    return json.dumps(text, ensure_ascii=False)
