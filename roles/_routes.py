"""An application's routes of the Gateway API, in the shape of an Ingress: what holds for one holds for the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from provision.errors import InputError
from provision.resources.kubernetes.diff import Object, place, title
from roles.traefik import GATEWAY, NAMESPACE

KINDS = ("HTTPRoute", "GRPCRoute")
PATH_TYPES = {"Exact": "Exact", "PathPrefix": "Prefix", "RegularExpression": "RegularExpression"}


def as_ingress(route: Object, source: str, *, served: bool) -> Object:
    """The route as an Ingress has it: a host for each of its hostnames, a path for each of its matches and Services.

    served: whether the site serves routes. Raises InputError where it does not, and for a route of another Gateway.
    """
    if not served:
        raise InputError(
            f"{title(route)} is a route that nobody serves here",
            line=source,
            found="The site's Traefik reads no routes of the Gateway API",
            do="Set traefik.gateway: true, or write an Ingress instead",
        )
    _check_parents(route, source)
    paths = [path for rule in _rules(route) for path in _paths(rule, route)]
    hosts = _spec(route).get("hostnames") or ("",)
    return {**route, "spec": {"rules": [{"host": host, "http": {"paths": paths}} for host in hosts]}}


def _check_parents(route: Object, source: str) -> None:
    _, own, _ = place(route)
    parents = [(ref.get("namespace") or own, ref.get("name")) for ref in _spec(route).get("parentRefs") or ()]
    if (NAMESPACE, GATEWAY) not in parents:
        named = ", ".join(f"{name} in {namespace}" for namespace, name in parents)
        raise InputError(
            f"{title(route)} belongs to a Gateway that is not the site's",
            line=source,
            found=f"Its parentRefs name {named or 'none'}",
            do=f"Write parentRefs: [{{name: {GATEWAY}, namespace: {NAMESPACE}}}]",
        )


def _paths(rule: Mapping[str, Any], route: Object) -> Iterator[Mapping[str, Any]]:
    """Each path that the rule takes, once for each Service; without a backend where the rule only redirects, or where a
    ReferenceGrant lets it lead into another namespace."""
    _, own, _ = place(route)
    local = [ref for ref in rule.get("backendRefs") or () if ref.get("namespace", own) == own]
    backends = [{"service": {"name": ref.get("name"), "port": {"number": ref.get("port")}}} for ref in local]
    everything: Mapping[str, Any] = {}
    for match in rule.get("matches") or (everything,):
        path = _path(match)
        yield from ({**path, "backend": backend} for backend in backends) if backends else (path,)


def _path(match: Mapping[str, Any]) -> Mapping[str, str]:
    if method := match.get("method"):
        if isinstance(method, str):  # of an HTTPRoute, whose path stands beside it
            return _path({"path": match.get("path")})
        service, name = method.get("service", ""), method.get("method", "")
        return {"path": f"/{service}/{name}", "pathType": "Exact" if name else "Prefix"}
    path = match.get("path") or {}
    kind = PATH_TYPES.get(path.get("type", "PathPrefix"), "ImplementationSpecific")
    return {"path": path.get("value", "/"), "pathType": kind}


def _rules(route: Object) -> Sequence[Mapping[str, Any]]:
    everything: Mapping[str, Any] = {}
    return _spec(route).get("rules") or (everything,)


def _spec(item: Object) -> Mapping[str, Any]:
    return item.get("spec") or {}
