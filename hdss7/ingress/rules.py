"""What Traefik 1.7 may read of the API, as Traefik 3 needs it. Pure.

Seen in Traefik 3.7.15's requests: one resource that it may not list, and every route answers 404.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hdss7.ingress.documents import How, mapping, sequence
from provision.resources.kubernetes.stream import Place

VERBS = ["list", "watch"]
# What Traefik 3 reads beside what 1.7 does: (API group, resource).
NEEDED = (("discovery.k8s.io", "endpointslices"), ("networking.k8s.io", "ingressclasses"), ("", "nodes"))
# The kinds of its own that the provider of Middlewares lists, all of them.
OWN = (
    "ingressroutes",
    "ingressroutetcps",
    "ingressrouteudps",
    "middlewares",
    "middlewaretcps",
    "serverstransports",
    "serverstransporttcps",
    "tlsoptions",
    "tlsstores",
    "traefikservices",
)
FOR_MIDDLEWARES = (("", "configmaps"), *(("traefik.io", name) for name in OWN))
NAMESPACED = (
    "ingressclasses and nodes are of the whole cluster, which a Role can't allow: use a ClusterRole, or "
    "--providers.kubernetesingress.disableclusterscoperesources=true and classes by annotation"
)


def is_traefiks(role: Mapping[str, Any]) -> bool:
    """Whether a role is that of an Ingress controller: it may read Ingresses."""
    return any("ingresses" in sequence(rule.get("resources")) for rule in _rules(role))


def migrate_rules(role: dict[str, Any], *, middlewares: bool = False) -> Iterator[tuple[Place, How, str]]:
    """Changes the role's rules. Yields (where, how, what is to be said). middlewares: adds only what those need."""
    if not middlewares:
        yield from _present_groups(role)
    missing = [pair for pair in (FOR_MIDDLEWARES if middlewares else NEEDED) if not _allowed(role, *pair)]
    for group in dict.fromkeys(group for group, _ in missing):
        names = [name for each, name in missing if each == group]
        role["rules"].append({"apiGroups": [group], "resources": names, "verbs": list(VERBS)})
        yield ("rules",), "changed", f"list and watch of {', '.join(names)} ({group or 'core'}) are added"
    if role["kind"] == "Role" and not middlewares:
        yield ("rules",), "todo", NAMESPACED


def _present_groups(role: dict[str, Any]) -> Iterator[tuple[Place, How, str]]:
    for index, rule in enumerate(_rules(role)):
        groups, resources = sequence(rule.get("apiGroups")), sequence(rule.get("resources"))
        if "extensions" in groups and any(str(name).startswith("ingresses") for name in resources):
            renamed = ("networking.k8s.io" if each == "extensions" else each for each in groups)
            rule["apiGroups"] = list(dict.fromkeys(renamed))
            yield ("rules", index), "changed", "apiGroup extensions -> networking.k8s.io"
        if "endpoints" in resources:
            rule["resources"] = [each for each in resources if each != "endpoints"]
            yield ("rules", index), "changed", "endpoints left out: Traefik 3 reads endpointslices"
    role["rules"] = [rule for rule in role["rules"] if rule != {**mapping(rule), "resources": []}]


def _rules(role: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    return (mapping(rule) for rule in sequence(role.get("rules")))


def _allowed(role: Mapping[str, Any], group: str, resource: str) -> bool:
    return any(
        _any(rule, "apiGroups", group)
        and _any(rule, "resources", resource)
        and all(_any(rule, "verbs", verb) for verb in VERBS)
        for rule in _rules(role)
    )


def _any(rule: Mapping[str, Any], key: str, name: str) -> bool:
    return any(each in (name, "*") for each in sequence(rule.get(key)))
