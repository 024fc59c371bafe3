"""What this Traefik makes of an annotation of ingress-nginx. Pure.

What it reads is in its table; what follows from its value, from the other annotations and from the site is here, and
was tried with Traefik 3.7.15 (tests/lab/test_ingress.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from hdss7.ingress.documents import Document, mapping, sequence
from hdss7.ingress.honoured import PREFIX, Table
from provision.spelling import suggestion
from provision.usage import usage

State = Literal["honoured", "ignored", "refused"]
CLASS = "kubernetes.io/ingress.class"
DEFAULT = "traefik"  # the class that the API gives to an Ingress without one
INTEGERS = frozenset(
    (
        "canary-weight",
        "canary-weight-total",
        "cors-max-age",
        "limit-burst-multiplier",
        "limit-connections",
        "limit-rpm",
        "limit-rps",
        "permanent-redirect-code",
        "proxy-buffers-number",
        "proxy-connect-timeout",
        "proxy-next-upstream-timeout",
        "proxy-next-upstream-tries",
        "proxy-read-timeout",
        "proxy-send-timeout",
        "session-cookie-expires",
        "session-cookie-max-age",
        "temporal-redirect-code",
    )
)


@dataclass(frozen=True)
class Verdict:
    """Of one annotation, or of what else an Ingress asks for. name: with its prefix.

    state: 'honoured' as ingress-nginx does, 'ignored' as if it were not there, 'refused': the Ingress is not served as
    it says. text: what differs, or what to write instead; '' when there is nothing to say.
    """

    line: str
    title: str
    name: str
    state: State
    text: str = ""


@dataclass(frozen=True)
class Served:
    """What the site serves. classes: of Ingresses, each with whether it is ingress-nginx's.

    tls: its edge answers https. headers: those that custom-headers may set.
    """

    classes: Mapping[str, bool]
    tls: bool = False
    headers: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Asked:
    """One annotation among the others of its Ingress, without prefixes."""

    name: str
    value: str
    others: Mapping[str, str]
    served: Served


Answer = tuple[State, str] | None
SHARED = "one count for all clients, who come from the edge's address, and one for each Traefik"
BY_EDGE = "judged by the address that the edge saw"
NO_CLIENT_CERTIFICATE = "TLS ends at the edge, which asks for no certificate: everybody gets in"
NO_MODSECURITY = "this build of Traefik has no ModSecurity"
SNIPPET = "Traefik then does not serve the Ingress, every request is a 404: take it out"


def _snippet(asked: _Asked) -> Answer:
    return ("refused", SNIPPET) if asked.value else None


def _to_https(asked: _Asked) -> Answer:
    if asked.value.lower() != "true" or asked.served.tls:
        return None
    return "honoured", "it leads to https://, where nobody answers as long as edge.tls is not set"


def _custom_headers(asked: _Asked) -> Answer:
    allowed = ", ".join(sorted(asked.served.headers)) or "none"
    return "honoured", f"any header beside those of traefik.ingress_nginx_headers ({allowed}) makes every request a 503"


def _only_with(other: str, value: str) -> Callable[[_Asked], Answer]:
    def judge(asked: _Asked) -> Answer:
        if asked.others.get(other, "") == value:
            return None
        return "ignored", f"Traefik wants {PREFIX}{other}: '{value}' beside it"

    return judge


def _one_of(*values: str) -> Callable[[_Asked], Answer]:
    def judge(asked: _Asked) -> Answer:
        if asked.value.lower() in values:
            return None
        return "ignored", f"Traefik knows {', '.join(values)}; '{asked.value}' is none of them"

    return judge


def _auth_type(asked: _Asked) -> Answer:
    if asked.value in ("basic", "digest"):
        return "honoured", "without the Secret that auth-secret names every request is a 404"
    return "refused", f"Traefik knows basic and digest; with '{asked.value}' every request is a 404"


def _same_namespace(asked: _Asked) -> Answer:
    if "/" in asked.value:
        return "honoured", "only a Secret of the Ingress's own namespace; with another every request is a 404"
    return None


def _custom_errors(asked: _Asked) -> Answer:
    if asked.others.get("default-backend"):
        return None
    return "ignored", f"Traefik wants {PREFIX}default-backend beside it"


def _always(state: State, text: str) -> Callable[[_Asked], Answer]:
    return lambda asked: (state, text)


# What Traefik makes of an annotation that it reads, where that is not simply what ingress-nginx does.
JUDGES: Mapping[str, Callable[[_Asked], Answer]] = {
    "affinity": _one_of("cookie"),
    "affinity-canary-behavior": _always("ignored", "Traefik reads it and makes nothing of it"),
    "allowlist-source-range": _always("honoured", BY_EDGE),
    "auth-secret": _same_namespace,
    "auth-snippet": _snippet,
    "auth-tls-pass-certificate-to-upstream": _always("ignored", NO_CLIENT_CERTIFICATE),
    "auth-tls-secret": _always("ignored", NO_CLIENT_CERTIFICATE),
    "auth-tls-verify-client": _always("ignored", NO_CLIENT_CERTIFICATE),
    "auth-type": _auth_type,
    "backend-protocol": _one_of("http", "https", "grpc", "grpcs"),
    "client-body-buffer-size": _only_with("proxy-request-buffering", "on"),
    "configuration-snippet": _snippet,
    "custom-headers": _custom_headers,
    "custom-http-errors": _custom_errors,
    "enable-modsecurity": _always("ignored", NO_MODSECURITY),
    "enable-owasp-core-rules": _always("ignored", NO_MODSECURITY),
    "force-ssl-redirect": _to_https,
    "limit-connections": _always("honoured", SHARED),
    "limit-rpm": _always("honoured", SHARED),
    "limit-rps": _always("honoured", SHARED),
    "modsecurity-snippet": _always("ignored", NO_MODSECURITY),
    "modsecurity-transaction-id": _always("ignored", NO_MODSECURITY),
    "proxy-body-size": _only_with("proxy-request-buffering", "on"),
    "proxy-buffer-size": _only_with("proxy-buffering", "on"),
    "proxy-buffers-number": _only_with("proxy-buffering", "on"),
    "proxy-http-version": _one_of("1.1"),
    "proxy-max-temp-file-size": _only_with("proxy-buffering", "on"),
    "server-snippet": _snippet,
    "session-cookie-name": _only_with("affinity", "cookie"),
    "ssl-passthrough": _always("ignored", "TLS ends at the edge: what arrives here is no TLS"),
    "whitelist-source-range": _always("honoured", BY_EDGE),
    "x-forwarded-prefix": _always("honoured", "what follows the matched path is appended to the header"),
}
# What to write instead of one that Traefik does not read.
INSTEAD = {
    "affinity-mode": "a cookie of Traefik stays as it is: persistent",
    "auth-proxy-set-headers": "let the application of auth-url set them, and name them in auth-response-headers",
    "denylist-source-range": f"write what may come in: {PREFIX}allowlist-source-range",
    "http2-push-preload": "browsers no longer take pushes",
    "limit-allowlist": "Traefik limits everybody; serve those by a host of their own without limits",
    "limit-whitelist": "Traefik limits everybody; serve those by a host of their own without limits",
    "load-balance": f"for a hash: {PREFIX}upstream-hash-by; otherwise Traefik takes turns",
    "mirror-target": "an IngressRoute with a TraefikService of kind mirroring",
    "preserve-trailing-slash": "Traefik keeps a slash anyway",
    "proxy-cookie-domain": "let the application set the domain of its cookies",
    "proxy-cookie-path": "let the application set the path of its cookies",
    "proxy-redirect-from": f"let the application redirect by X-Forwarded-Host, or use {PREFIX}upstream-vhost",
    "proxy-redirect-to": f"let the application redirect by X-Forwarded-Host, or use {PREFIX}upstream-vhost",
    "satisfy": "Traefik asks for all: the address and the password",
    "ssl-ciphers": "TLS ends at the edge",
    "ssl-prefer-server-ciphers": "TLS ends at the edge",
    "stream-snippet": "streams are role edge's: edge.streams, or a NodePort",
}
SERVED = "networking.k8s.io/v1"
NOTHING = "Traefik has nothing like it: take it out, or let the application do it"


def judge(document: Document, table: Table, served: Served) -> Iterator[Verdict]:
    """What becomes of an Ingress: its class, its annotations, its TLS."""
    metadata, spec = mapping(document.value.get("metadata")), mapping(document.value.get("spec"))
    annotations = {str(name): str(value) for name, value in mapping(metadata.get("annotations")).items()}
    named = str(spec.get("ingressClassName") or annotations.get(CLASS) or DEFAULT)
    of_nginx = served.classes.get(named)
    if document.value["apiVersion"] != SERVED:
        yield _gone(document)
    mine = {name.removeprefix(PREFIX): value for name, value in annotations.items() if name.startswith(PREFIX)}
    if of_nginx is None or (mine and not of_nginx):
        yield _class(document, named, served)
    for name, value in mine.items():
        line = document.line("metadata", "annotations", PREFIX + name)
        state, text = _annotation(_Asked(name, value, mine, served), table)
        if not of_nginx and named != "nginx":  # of class nginx it says what Traefik will do once it serves it
            state, text = "ignored", f"class {named} is not ingress-nginx's"
        yield Verdict(line, document.title, PREFIX + name, state, text)
    if of_nginx and sequence(spec.get("tls")):
        yield _tls(document, mine, served)
    if of_nginx:
        yield from _strict_paths(document, spec)


def _gone(document: Document) -> Verdict:
    text = (
        f"no API server has {document.value['apiVersion']} any more: {usage('ingress.migrate')} writes it as {SERVED}"
    )
    return Verdict(document.line("apiVersion"), document.title, "apiVersion", "refused", text)


def _class(document: Document, named: str, served: Served) -> Verdict:
    line = document.line("spec", "ingressClassName")
    if named in served.classes:
        text = (
            f"it is of class {named}, and Traefik reads these annotations of class nginx: set ingressClassName: nginx"
        )
        if "nginx" not in served.classes:
            text += ", and traefik.ingress_nginx: true"
        return Verdict(line, document.title, "class", "ignored", text)
    classes = ", ".join(sorted(served.classes))
    do = "set traefik.ingress_nginx: true" if named == "nginx" else f"set ingressClassName to one of: {classes}"
    return Verdict(line, document.title, "class", "refused", f"nobody serves class '{named}': {do}")


def _annotation(asked: _Asked, table: Table) -> tuple[State, str]:
    if asked.name not in table.read:
        if asked.name not in table.every:
            near = suggestion(asked.name, table.every)
            return "ignored", f"ingress-nginx has no such annotation{f'. {near}' if near else ''}"
        return "ignored", INSTEAD.get(asked.name, NOTHING)
    if asked.name in INTEGERS and not re.fullmatch(r"[+-]?\d+", asked.value):
        return "ignored", f"Traefik wants a whole number here, without a unit; '{asked.value}' is none"
    found = JUDGES[asked.name](asked) if asked.name in JUDGES else None
    return found or ("honoured", "")


def _tls(document: Document, mine: Mapping[str, str], served: Served) -> Verdict:
    line = document.line("spec", "tls")
    if served.tls:
        return Verdict(line, document.title, "spec.tls", "ignored", "TLS ends at the edge: its certificate is edge.tls")
    if mine.get("ssl-redirect", "true").lower() == "true":
        text = f"http is redirected to https, where nobody answers: set edge.tls, or {PREFIX}ssl-redirect: 'false'"
        return Verdict(line, document.title, "spec.tls", "refused", text)
    return Verdict(line, document.title, "spec.tls", "ignored", "nobody answers https as long as edge.tls is not set")


def _strict_paths(document: Document, spec: Mapping[str, Any]) -> Iterator[Verdict]:
    from hdss7.ingress.ingresses import paths

    for place, path in paths(spec):
        kind, text = path.get("pathType", "Prefix"), str(path.get("path", ""))
        if kind != "ImplementationSpecific" and text and not re.fullmatch(r"(?i)/[a-z0-9._\-/]*", text):
            what = f"a regular expression wants pathType ImplementationSpecific; with {kind} every request is a 404"
            yield Verdict(document.line(*place), document.title, f"path {text}", "refused", what)


def worst(verdicts: Sequence[Verdict]) -> State:
    """The worst that became of anything."""
    states = {each.state for each in verdicts}
    return "refused" if "refused" in states else "ignored" if "ignored" in states else "honoured"
