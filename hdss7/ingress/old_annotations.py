"""The annotations of Traefik 1.7 as Middlewares and annotations of Traefik 3. Pure.

Those of 1.7 are in docs/configuration/backends/kubernetes.md of its branch v1.7; each may begin with
`ingress.kubernetes.io/` or `traefik.ingress.kubernetes.io/`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hdss7.ingress import middlewares as made
from hdss7.ingress.documents import How

PREFIXES = ("traefik.ingress.kubernetes.io/", "ingress.kubernetes.io/")
ROUTER, SERVICE = "traefik.ingress.kubernetes.io/router.", "traefik.ingress.kubernetes.io/service."
CLASS = "kubernetes.io/ingress.class"
YES = ("true", "True", "TRUE", "1", "t", "T")


@dataclass
class Result:
    """What became of an object's annotations.

    kept: those that stay or are new. middlewares: (suffix of its name, spec). notes: (annotation, how, text).
    """

    kept: dict[str, str] = field(default_factory=dict)
    middlewares: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    notes: list[tuple[str, How, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Rule:
    """How some annotations are written now. names: those that it takes together. suffix: of the Middleware's name.

    make: its spec, from the values of those that are there and the paths of the Ingress; None when they ask for
    nothing. Raises ValueError with what is wrong with a value.
    """

    names: Sequence[str]
    suffix: str
    make: Callable[[Mapping[str, str], Sequence[str]], dict[str, Any] | None]


# In the order in which 1.7 acts: who may, where to, headers, path.
MIDDLEWARES = (
    Rule(("whitelist-source-range", "whitelist-x-forwarded-for"), "allow", made.allow_list),
    Rule(made.AUTH, "auth", made.auth),
    Rule(("ssl-redirect", "ssl-temporary-redirect"), "https", made.to_https),
    Rule(("redirect-entry-point", "redirect-permanent"), "entry-point", made.to_entry_point),
    Rule(("redirect-regex", "redirect-replacement", "redirect-permanent"), "redirect", made.redirect),
    Rule(("app-root", "redirect-permanent"), "app-root", made.app_root),
    Rule(tuple(made.HEADERS), "headers", made.headers),
    Rule(("pass-tls-cert", "pass-client-tls-cert"), "client-cert", made.client_certificate),
    Rule(("rate-limit",), "rate", made.rate_limit),
    Rule(("rule-type",), "strip", made.strip),
    Rule(("rewrite-target",), "rewrite", made.rewrite),
    Rule(("request-modifier",), "modify", made.modify),
    Rule(("buffering",), "buffering", made.buffering),
    Rule(("circuit-breaker-expression",), "breaker", made.breaker),
    Rule(("max-conn-amount", "max-conn-extractor-func"), "connections", made.connections),
)
# Of a Service. The value stays.
ON_SERVICE = {
    "affinity": f"{SERVICE}sticky.cookie",
    "session-cookie-name": f"{SERVICE}sticky.cookie.name",
    "session-secure": f"{SERVICE}sticky.cookie.secure",
    "session-http-only": f"{SERVICE}sticky.cookie.httponly",
    "session-same-site": f"{SERVICE}sticky.cookie.samesite",
}
LOST = {
    "error-pages": "make a Middleware with spec.errors (status, query, service.name, service.port)",
    "service-weights": "make a TraefikService with spec.weighted and an IngressRoute, or two Ingresses of class nginx, "
    "the second with nginx.ingress.kubernetes.io/canary and canary-weight",
    "load-balancer-method": "Traefik 3 has wrr, p2c, hrw and leasttime, in an IngressRoute",
    "responseforwarding-flushinterval": "an IngressRoute has responseForwarding.flushInterval",
    "ssl-host": "make a Middleware with spec.redirectRegex that leads to that host",
    "ssl-force-host": "make a Middleware with spec.redirectRegex that leads to that host",
}


def migrate(annotations: Mapping[str, Any], kind: str, paths: Sequence[str]) -> Result:
    """kind: Ingress or Service. paths: of the Ingress, for what strips or rewrites them."""
    result = Result()
    old: dict[str, tuple[str, str]] = {}  # name without its prefix -> (annotation, value)
    for annotation, value in annotations.items():
        name = _old_name(annotation)
        if name is None:
            result.kept[annotation] = value
        elif not isinstance(value, str):
            result.notes.append((annotation, "lost", f"the value is {value!r}: the API takes texts only, so quote it"))
        else:
            old[name] = (annotation, value)
    done = set(_middlewares(old, paths, result))
    done |= set(_router(old, result)) if kind == "Ingress" else set(_service(old, result))
    for name, (annotation, _) in old.items():
        if name not in done:
            do = LOST.get(name, "it is no annotation of Traefik 1.7")
            result.notes.append((annotation, "lost", f"{annotation} has no successor: {do}"))
    return result


def _old_name(annotation: str) -> str | None:
    """The name after the prefix, for an annotation of 1.7: Traefik 3 has router.* and service.*."""
    for prefix in PREFIXES:
        if annotation.startswith(prefix):
            name = annotation.removeprefix(prefix)
            return None if name.startswith(("router.", "service.")) else name
    return "affinity" if annotation == "traefik.backend.loadbalancer.sticky" else None


def _middlewares(old: Mapping[str, tuple[str, str]], paths: Sequence[str], result: Result) -> Iterator[str]:
    for rule in MIDDLEWARES:
        given = {name: old[name][1] for name in rule.names if name in old}
        if not given or set(given) == {"redirect-permanent"}:
            continue
        first = old[next(iter(given))][0]
        written = ", ".join(old[name][0] for name in given)
        yield from given
        try:
            spec = rule.make(given, paths)
        except ValueError as error:
            result.notes.append((first, "lost", f"{written}: {error}"))
            continue
        if spec is None:
            result.notes.append((first, "changed", f"{written} left out: it asks for what Traefik 3 does anyway"))
            continue
        result.middlewares.append((rule.suffix, spec))
        result.notes.append((first, "changed", f"{written} -> a Middleware with spec.{next(iter(spec))}"))
    if "redirect-permanent" in old and not {"redirect-entry-point", "redirect-regex", "app-root"} & set(old):
        yield "redirect-permanent"
        result.notes.append((old["redirect-permanent"][0], "changed", "redirect-permanent left out"))


def _router(old: Mapping[str, tuple[str, str]], result: Result) -> Iterator[str]:
    for name, new in (("frontend-entry-points", "entrypoints"), ("priority", "priority")):
        if name in old:
            annotation, value = old[name]
            yield name
            _renamed(result, annotation, f"{ROUTER}{new}", re.sub(r"\s", "", value))
    if (matcher := old.get("rule-type", ("", ""))[1]) in ("Path", "PathStrip"):
        _renamed(result, old["rule-type"][0], f"{ROUTER}pathmatcher", "Path")
        yield "rule-type"
    elif matcher:
        yield "rule-type"
    if "preserve-host" in old:
        yield "preserve-host"
        annotation, value = old["preserve-host"]
        _of_services(result, annotation, "passhostheader", "true" if value in YES else "false", usual="true")
    if "protocol" in old:
        yield "protocol"
        annotation, value = old["protocol"]
        _of_services(result, annotation, "serversscheme", value, usual="http")


def _of_services(result: Result, annotation: str, name: str, value: str, *, usual: str) -> None:
    """What Traefik 3 reads from the Service and not from the Ingress."""
    if value == usual:
        result.notes.append((annotation, "changed", f"{annotation} left out: it is so anyway"))
    else:
        result.notes.append((annotation, "todo", f"{annotation} -> {SERVICE}{name}: '{value}' on each Service of it"))


def _service(old: Mapping[str, tuple[str, str]], result: Result) -> Iterator[str]:
    for name, new in ON_SERVICE.items():
        if name in old:
            yield name
            _renamed(result, old[name][0], new, old[name][1])


def _renamed(result: Result, annotation: str, new: str, value: str) -> None:
    result.kept[new] = value
    result.notes.append((annotation, "changed", f"{annotation} -> {new}: {value}"))
