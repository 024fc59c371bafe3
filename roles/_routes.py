"""An application's routes of the Gateway API, in the shape of an Ingress: what holds for one holds for the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from provision.errors import InputError
from provision.resources.kubernetes.diff import Object, place, title
from provision.resources.kubernetes.gateway_api import VERSION, faults
from provision.resources.kubernetes.lines import line_of
from roles.traefik import GATEWAY, NAMESPACE

KINDS = ("HTTPRoute", "GRPCRoute")
LISTENER, PORT = "web", 80  # of templates/traefik/gateway.yaml.j2
PATH_TYPES = {"Exact": "Exact", "PathPrefix": "Prefix", "RegularExpression": "RegularExpression"}


def check_fields(objects: Sequence[Object], source: str, text: str = "") -> None:
    """Raises InputError for a field of a route that the API would refuse, or leave out in silence.

    text: what the objects were read from, where its lines are those of `source`.
    """
    for number, item in enumerate(objects):
        for fault in faults(item):
            line = line_of(text, number, fault.place)
            raise InputError(
                f"{title(item)}: the API would not take {'.'.join(map(str, fault.place)) or 'it'}",
                line=f"{source}:{line}" if line else source,
                found=fault.found,
                do=fault.do or f"Write it as the Gateway API {VERSION} has it (standard channel)",
            )


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
    refs = _spec(route).get("parentRefs") or ()
    site = [ref for ref in refs if (ref.get("namespace") or own, ref.get("name")) == (NAMESPACE, GATEWAY)]
    if not site:
        named = ", ".join(f"{ref.get('name')} in {ref.get('namespace') or own}" for ref in refs)
        raise InputError(
            f"{title(route)} belongs to a Gateway that is not the site's",
            line=source,
            found=f"Its parentRefs name {named or 'none'}",
            do=f"Write parentRefs: [{{name: {GATEWAY}, namespace: {NAMESPACE}}}]",
        )
    if not any(ref.get("sectionName", LISTENER) == LISTENER and ref.get("port", PORT) == PORT for ref in site):
        names = ", ".join(f"{key}: {ref[key]}" for ref in site for key in ("sectionName", "port") if key in ref)
        raise InputError(
            f"{title(route)} belongs to a listener that Gateway {GATEWAY} does not have",
            line=source,
            found=f"Its parentRefs say {names}; the Gateway's only listener is {LISTENER}, at port {PORT}",
            do="Leave sectionName and port out",
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
